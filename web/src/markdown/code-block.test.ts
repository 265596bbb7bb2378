// Code: its header, its copies with and without a secure context, its colours.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CodeText } from './code-block';
import { highlighter, spansToNodes } from './highlight';
import { toSpans } from './languages';
import { atOnce, newHost, OPTIONS, streamed } from './testing';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, 'clipboard');
  Reflect.deleteProperty(document, 'execCommand');
  document.body.replaceChildren();
});

function stub(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true });
}

function button(host: HTMLElement): HTMLButtonElement {
  const found = host.querySelector<HTMLButtonElement>('.code-block-copy');
  if (!found) throw new Error('no copy button');
  return found;
}

async function click(host: HTMLElement): Promise<void> {
  button(host).click();
  await vi.advanceTimersByTimeAsync(0);
}

describe('the copy button', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  test('copies the code and says so for a while', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    stub(navigator, 'clipboard', { writeText });
    const host = atOnce('```js\nconst a = "é";\n```');
    await click(host);

    expect(writeText).toHaveBeenCalledWith('const a = "é";');
    expect(button(host).textContent).toBe('Copié');
    vi.advanceTimersByTime(2000);
    expect(button(host).textContent).toBe('Copier');
  });

  test('falls back on a selection where there is no clipboard, as over plain HTTP', async () => {
    let selected = '';
    stub(document, 'execCommand', () => {
      selected = document.querySelector('textarea')?.value ?? '';
      return true;
    });
    const host = atOnce('```js\na\nb\n```');
    button(host).focus();
    await click(host);

    expect(selected).toBe('a\nb');
    expect(button(host).textContent).toBe('Copié');
    expect(document.querySelector('textarea')).toBeNull();
    expect(document.activeElement).toBe(button(host));
  });

  test('falls back when the clipboard refuses', async () => {
    stub(navigator, 'clipboard', { writeText: () => Promise.reject(new Error('denied')) });
    stub(document, 'execCommand', () => true);
    const host = atOnce('```\na\n```');
    await click(host);

    expect(button(host).textContent).toBe('Copié');
  });

  test('says that it failed when nothing works', async () => {
    const host = atOnce('```\na\n```');
    await click(host);

    expect(button(host).textContent).toBe('Échec');
    expect(document.querySelector('textarea')).toBeNull();
  });

  test('copies code in a list as it is written', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    stub(navigator, 'clipboard', { writeText });
    const host = atOnce('- a\n  ```sh\n  ls\n    -l\n  ```');
    await click(host);

    expect(writeText).toHaveBeenCalledWith('ls\n  -l');
  });
});

describe('the header', () => {
  test('names the language as written', () => {
    const label = (text: string): string | undefined =>
      atOnce(text).querySelector('.code-block-language')?.textContent;

    expect(label('```c++ title=x\na\n```')).toBe('c++');
    expect(label('- ```c#\n  a\n  ```')).toBe('c#');
    expect(label('```\na\n```')).toBe('');
    expect(label('```"onclick="x\na\n```')).toBe('');
  });
});

describe('colours', () => {
  test('of known languages come as spans, the text stays', async () => {
    await highlighter.load();
    const host = atOnce('```python\ndef f(a: str = "<&\'>") -> None: ...\n```');
    const code = host.querySelector('code');

    expect(code?.querySelector('.hljs-keyword')?.textContent).toBe('def');
    expect(code?.textContent).toBe('def f(a: str = "<&\'>") -> None: ...');
  });

  test('come after the chunk, streamed as at once', async () => {
    await highlighter.load();
    vi.useFakeTimers();
    const text =
      'Voici\n\n```js\n' +
      'const a = `x ${1 + 1} y`; // é\n'.repeat(30) +
      '```\n\n- b\n  ```json\n  {"a": 1}\n  ```\n';
    const { host, view } = streamed(text);
    view.finish(text);

    expect(host.innerHTML).toBe(atOnce(text).innerHTML);
    expect(host.querySelectorAll('.hljs-keyword')).toHaveLength(30);
    expect(host.querySelector('.hljs-attr')).not.toBeNull();
  });

  test('of unknown languages are none', async () => {
    await highlighter.load();
    const code = atOnce('```klingon\na < b\n```').querySelector('code');

    expect(code?.innerHTML).toBe('a &lt; b');
  });

  test('are none when not wanted', async () => {
    await highlighter.load();
    const host = newHost();
    const { renderOnce } = await import('./index');
    const labels = OPTIONS.labels;
    renderOnce(host, '```js\nconst a = 1\n```', { labels, highlight: false });

    expect(host.querySelector('span[class^=hljs]')).toBeNull();
  });

  test('wait for growth while a fence is open', async () => {
    await highlighter.load();
    const code = document.createElement('code');
    code.className = 'language-js';
    const text = new CodeText(code, true);
    text.set('const a = 1;\n'.repeat(16), false);
    const painted = code.firstElementChild;
    expect(painted?.className).toBe('hljs-keyword');

    text.set('const a = 1;\n'.repeat(17), false);
    expect(code.firstElementChild).toBe(painted);
    expect(code.lastChild).toBeInstanceOf(Text);

    text.set('const a = 1;\n'.repeat(17), true);
    expect(code.querySelectorAll('.hljs-keyword')).toHaveLength(17);
  });

  test.each([
    ['html', '<p class="a">&amp; <script>let a = 1 < 2;</script><style>p{color:red}</style></p>'],
    ['php', '<?php echo "<b>$a</b>"; ?>'],
    ['sql', "SELECT * FROM t WHERE a <> 'é' -- fin"],
    ['yaml', 'a: "&amp;lt;"\nb: [1, 2]'],
    ['bash', 'echo "$(ls)" > /dev/null && cat <<EOF\nx\nEOF'],
  ])('in %s lose no character', (language, code) => {
    const host = document.createElement('div');
    host.append(spansToNodes(toSpans(code, language) ?? ''));

    expect(host.textContent).toBe(code);
    expect(host.querySelector(':not(span)')).toBeNull();
  });

  test('never make anything but spans, whatever the text', () => {
    const host = document.createElement('div');
    host.append(spansToNodes('<span class="a"><img src=x onerror=alert(1)></span></span><b>x</b>'));

    expect(host.querySelectorAll('*')).toHaveLength(1);
    expect(host.textContent).toBe('<img src=x onerror=alert(1)><b>x</b>');
  });
});

test('the highlighter colours what is already shown when it arrives', async () => {
  vi.resetModules();
  const fresh = await import('./index');
  const host = newHost();
  const labels = OPTIONS.labels;
  fresh.renderOnce(host, '```js\nconst a = 1\n```', { labels });
  expect(host.querySelector('.hljs-keyword')).toBeNull();

  await vi.waitFor(() => {
    expect(host.querySelector('.hljs-keyword')).not.toBeNull();
  });
});
