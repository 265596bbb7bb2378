// What answers have besides text: formulas, footnotes, tables, code that is saved and folded.
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { fileName } from './files';
import { typesetter } from './formulas';
import { atOnce } from './testing';

beforeAll(async () => {
  await typesetter.load();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

const formulas = (text: string): string[] =>
  [...atOnce(text).querySelectorAll('.katex annotation')].map((each) => each.textContent);

describe('a formula', () => {
  test.each([
    ['Soit $x^2 + 1$.', ['x^2 + 1']],
    ['le $n$th terme, $a_1$ et $b_2$', ['n', 'a_1', 'b_2']],
    ['\\(a\\) et \\(b\\)', ['a', 'b']],
    ['$$\n\\sum_i x_i\n$$', ['\n\\sum_i x_i\n']],
    ['\\[ e = mc^2 \\]', [' e = mc^2 ']],
    ['- item : $$x$$', ['x']],
    ['| a |\n|---|\n| $x$ |', ['x']],
  ])('%j', (text, expected) => {
    expect(formulas(text)).toEqual(expected);
  });

  test.each([
    'It costs $5 and $6.',
    'between $5 and US$ 6',
    '$5/$6',
    'de 5$ à 10$ ou 15$/mois',
    '$ x $',
    '$HOME/bin:$PATH',
    'a \\$x\\$ b',
    '`$x$`',
    '```\n$$x$$\n```',
    'see \\[1\\]',
    '$$',
  ])('%j has none', (text) => {
    expect(formulas(text)).toEqual([]);
  });

  test('that stands by itself is displayed, and scrolls in its own box', () => {
    expect(atOnce('$$x$$').querySelector('.maths-display .katex-display')).not.toBeNull();
    expect(atOnce('Un $x$').querySelector('.maths-display')).toBeNull();
  });

  test('that is broken stays text', () => {
    const host = atOnce('Voir $\\frac{1$ et $\\nope$ puis $x$');

    expect(host.textContent).toContain('Voir $\\frac{1$ et $\\nope$ puis');
    expect(host.querySelectorAll('.katex')).toHaveLength(1);
  });
});

describe('a footnote', () => {
  const text = 'Un[^1] mot[^autre].\n\n[^1]: La *note*.\n\n    Sa suite.\n\n[^autre]: Rien.\n\nFin';

  test('is a link to its note, which is one back', () => {
    const host = atOnce(text);
    const [use] = host.querySelectorAll<HTMLAnchorElement>('.footnote-use a');
    const [note] = host.querySelectorAll<HTMLAnchorElement>('.footnote > a');
    use?.click();
    expect(document.activeElement).toBe(note);
    note?.click();
    expect(document.activeElement).toBe(use);
    expect(location.hash).toBe('');
  });

  test('has all that is indented, and no more', () => {
    const [first, second] = atOnce(text).querySelectorAll('.footnote');

    expect(first?.textContent).toBe('1La note.\nSa suite.\n');
    expect(first?.querySelector('em')).not.toBeNull();
    expect(second?.textContent).toBe('autreRien.\n');
  });

  test('without its note stays text', () => {
    expect(atOnce('Un[^2] mot.').textContent).toBe('Un[^2] mot.');
  });
});

describe('code', () => {
  test.each([
    ['python', 'code.py'],
    ['TypeScript', 'code.ts'],
    ['c++', 'code.cpp'],
    ['dockerfile', 'Dockerfile'],
    ['exe', 'code.txt'],
    ['../../etc/passwd', 'code.txt'],
    ['', 'code.txt'],
  ])('of language %j is saved as %s', (language, name) => {
    expect(fileName(language)).toBe(name);
  });

  test('is saved as it is written', async () => {
    const made: Blob[] = [];
    vi.stubGlobal(
      'URL',
      Object.assign(URL, {
        createObjectURL: (blob: Blob) => made.push(blob) && 'blob:here',
        revokeObjectURL: () => undefined,
      }),
    );
    const names: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      names.push(this.download);
    });
    const host = atOnce('```js\nconst a = "é";\n```');
    host.querySelector<HTMLButtonElement>('.code-block-save')?.click();

    expect(names).toEqual(['code.js']);
    expect(await made[0]?.text()).toBe('const a = "é";');
  });

  test('folds its long lines where one wishes', () => {
    const host = atOnce('```js\na\n```');
    const button = host.querySelector<HTMLButtonElement>('.code-block-wrap');
    button?.click();
    expect(host.querySelector('.code-block.is-wrapped')).not.toBeNull();
    expect(button?.getAttribute('aria-pressed')).toBe('true');

    button?.click();
    expect(host.querySelector('.is-wrapped')).toBeNull();
  });

  test('of mermaid is code like any other', () => {
    expect(atOnce('```mermaid\ngraph TD\n```').querySelector('code')?.textContent).toBe('graph TD');
  });
});
