// The growing answer: same nodes as at once, closed blocks untouched, and no drawing too many.
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { typesetter } from './formulas';
import { MarkdownView } from './stream';
import { atOnce, newHost, nextFrame, OPTIONS, streamed } from './testing';

const CASES: Record<string, string> = {
  paragraphs: 'Un premier\nparagraphe.\n\nUn second.\n\n\n\nUn *troisième*.',
  'bullet list': 'Voici :\n- un\n- deux\n- trois\n\nAprès.',
  'nested lists': '1. un\n   - a\n   - b\n     1. x\n2. deux\n\n   suite\n3. trois\n\nfin',
  'loose list': '- un\n\n- deux\n\n  suite\n\n- trois\n\nfin',
  'two kinds of lists': '- a\n- b\n\n1. c\n2. d\n\n* e\n',
  'numbers after a blank line': '1. un\n\n2. deux\n\n10 mots ne sont pas une liste\n',
  table: 'Avant\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 | **4** |\n\nAprès',
  'table after a line of text': 'Avant\n| a | b |\n|---|---|\n| 1 | 2 |\nAprès\n',
  'almost a table': 'Avant\n| a | b |\n|---|---x\nsuite\n',
  'fence with language': 'Voici\n```python\ndef f():\n    return 1\n\nprint(f())\n```\nAprès\n',
  'fence without language': '```\na < b && c\n```\n\nfin',
  'fence of tildes around backquotes': '~~~md\n```js\nx\n```\n~~~\nfin',
  'unclosed fence': 'Voici\n\n```js\nconst a = 1;\nconst b = `',
  'almost closed fence': '```js\na\n``` pas fini\nb\n```\n',
  'fence in a list': '- a\n\n  ```sh\n  ls -l\n  ```\n- b\n',
  'indented code': 'Voici\n\n    code\n\n    encore\n\nfin',
  'definition after use':
    'Voir [ceci][1] et [cela].\n\nTexte.\n\n[1]: https://a.test "t"\n[cela]: /b\n',
  'definition before use': '[x]: https://a.test\n\nVoir [x].\n\nEt [x] encore.\n',
  'definition with a title on the next line': "[x]: /u\n'ti tre'\n\n[x]\n",
  'definition in a quote': '> [x]: /u\n\nUn [x].\n\nDeux [x].\n',
  headings: '# Un\n## Deux ##\nTexte\n#pas un titre\n### Trois\n\nQuatre\n======\n\nCinq\n---\nfin',
  'nearly a heading': 'texte\n#mot-dièse\nsuite',
  quotes: '> un\n> deux\nparesseux\n\n> autre\n>> dedans\n\nfin',
  rules: 'a\n\n---\n\nb\n***\nc\n___\n',
  'nearly a rule': 'a\n***gras et penché***\nb\n\n- x\n--- y\n- z',
  'inline html': 'un <b>mot</b> et <br> puis <br/>fin',
  'html block': '<div class="x">\n  *a*\n</div>\n\nfin\n\n<!-- note\n\nlongue -->\nb',
  'details over blank lines': '<details>\n<summary>Plus</summary>\n\n**gras**\n\n</details>\n\nfin',
  emphasis: 'a **b *c* d** _e_ ~~f~~ `g` **non fermé\n\n*ni ceci',
  'task list': '- [ ] à faire\n- [x] fait\n- [ ] **gras**\n',
  'French spaces': 'Quoi\u202f? Oui\u00a0: «\u00a0mot\u00a0»\u202f!\n\n- 1\u202f000\u00a0€\n',
  'Windows line ends': '# A\r\n\r\n- b\r\n- c\r\n\r\n```py\r\nx = 1\r\n```\r\n\r\nfin\r\n',
  'old Mac line ends': 'a\rb\r\rc',
  emoji: 'Salut 👋🏽 **🎉** 👨‍👩‍👧\n\n- 🇫🇷 un\n- deux 😀',
  'links and addresses': 'Voir https://a.test/b_c, [d](https://e.test) et f@g.test.\n\nFin',
  images: '![a](/attachments/1/a.png) ![b](https://e.test/b.png)\n\nfin',
  'hard breaks': 'a  \nb\\\nc\n\nd',
  escapes: '\\*a\\* \\# &amp; &copy; 1 < 2\n\n\\- b',
  'blank start and end': '\n\n  \na\n\n \n',
  tabs: '-\ta\n\n\tb\n\n\tc\n',
  formulas:
    'Soit $x^2$ et \\(y\\).\n\n$$\n\\frac{1}{2}\n$$\n\nPuis :\n\\[\na = b\n\\]\nfin $$c$$.\n',
  'formulas that never end': 'Un $x et\n\n$$\na\n\nb\n\\[ c\n\nfin',
  'a formula that looks like a list': 'Voici\n$$\na\n- b\n- c\n$$\n\nfin\n',
  'broken formulas': 'Un $\\frac{1$ et\n\n$$\n\\nope{\n$$\n\nfin',
  footnotes:
    'Un[^1] et deux[^note].\n\nSuite[^rien].\n\n[^1]: Le *premier*.\n[^note]: Le second\n\n    - a\n    - b\n\nfin\n',
  'footnotes before their use': '[^1]: Note.\n\nUn[^1] mot.\n',
};

beforeAll(async () => {
  await typesetter.load(); // or formulas would be drawn at any time
});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

// What a stream cannot know before its end; the last pass mends it.
const NEED_THE_END = new Set([
  'definition after use',
  'definition with a title on the next line',
  'definition in a quote',
  'footnotes',
]);

describe.each(Object.entries(CASES))('%s', (name, text) => {
  test('streamed by character equals at once, and a second finish changes nothing', () => {
    const { host, view } = streamed(text, { ...OPTIONS, highlight: false });
    const beforeTheEnd = host.innerHTML;
    view.finish(text);
    const expected = atOnce(text, { ...OPTIONS, highlight: false }).innerHTML;

    expect(host.innerHTML).toBe(expected);
    if (!NEED_THE_END.has(name)) expect(beforeTheEnd).toBe(expected);

    const nodes = [...host.childNodes];
    view.finish(text);
    expect(host.innerHTML).toBe(expected);
    expect([...host.childNodes].every((node, index) => node === nodes[index])).toBe(true);
  });
});

test('an answer of all cases, streamed in pieces of any size, equals at once', () => {
  const text = Object.values(CASES).join('\n\n');
  for (const size of [13, 50]) {
    const host = newHost();
    const view = new MarkdownView(host, { ...OPTIONS, highlight: false });
    for (let length = size; length < text.length; length += size) {
      view.update(text.slice(0, length));
      nextFrame();
    }
    view.finish(text);

    expect(host.innerHTML).toBe(atOnce(text, { ...OPTIONS, highlight: false }).innerHTML);
  }
});

test('closed blocks keep their nodes, to the end', () => {
  const host = newHost();
  const view = new MarkdownView(host, OPTIONS);
  const start =
    '# Titre\n\nUn paragraphe.\n\n- a\n- b\n\n```js\nx\n```\n\n| a |\n|---|\n| 1 |\n\nMilieu.\n\n';
  view.update(start);
  nextFrame();
  const nodes = [...host.childNodes];
  expect(nodes).toHaveLength(6);

  for (const more of ['Suite', 'Suite.\n\nEncore', 'Suite.\n\nEncore\n\n- x']) {
    view.update(start + more);
    nextFrame();
  }
  view.finish(start + 'Suite.\n\nEncore\n\n- x\n- y');

  nodes.forEach((node, index) => {
    expect(host.childNodes[index]).toBe(node);
  });
});

test('the last pass redraws only what a later definition changed', () => {
  const { host, view } = streamed('Sans lien.\n\nVoir [x].\n\n[x]: /u\n');
  const [plain, linked] = host.children;
  view.finish('Sans lien.\n\nVoir [x].\n\n[x]: /u\n');

  expect(host.children[0]).toBe(plain);
  expect(host.children[1]).not.toBe(linked);
  expect(host.querySelector('a')?.getAttribute('href')).toBe('/u');
});

describe('an open fence', () => {
  test('gets text appended, its nodes stay', () => {
    const host = newHost();
    const view = new MarkdownView(host, { ...OPTIONS, highlight: false });
    view.update('```js\nconst a');
    nextFrame();
    const code = host.querySelector('code');
    const text = code?.firstChild;
    view.update('```js\nconst a = 1;\nconst b');
    nextFrame();

    expect(host.querySelector('code')).toBe(code);
    expect(code?.firstChild).toBe(text);
    expect(code?.childNodes).toHaveLength(1);
    expect(code?.textContent).toBe('const a = 1;\nconst b');
  });

  test('takes back what turns out to be its end', () => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.update('```js\na\n``');
    nextFrame();
    view.update('```js\na\n```');
    nextFrame();

    expect(host.querySelector('code')?.textContent).toBe('a');
  });

  test('is drawn anew when its language grows', () => {
    const { host } = streamed('```typescript\nx');

    expect(host.querySelector('code')?.className).toBe('language-typescript');
    expect(host.querySelector('.code-block-language')?.textContent).toBe('typescript');
    expect(host.children).toHaveLength(1);
  });
});

describe('an open list or table', () => {
  test.each([
    ['- a\n- b\n- c', '- a\n- b\n- cd\n- e', 'li', 2],
    ['1. a\n   - x\n2. b', '1. a\n   - x\n2. b\n   - y', 'ol > li', 1],
    ['| a |\n|---|\n| 1 |\n| 2 |', '| a |\n|---|\n| 1 |\n| 23 |\n| 4 |', 'tbody tr', 1],
  ])('%j grows: what did not change keeps its nodes', (before, after, selector, kept) => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.update(before);
    nextFrame();
    const nodes = [...host.querySelectorAll(selector)].slice(0, kept);
    view.update(after);
    nextFrame();

    expect(host.innerHTML).toBe(atOnce(after).innerHTML);
    nodes.forEach((node, index) => {
      expect(host.querySelectorAll(selector)[index]).toBe(node);
    });
  });

  test('that becomes loose is drawn anew', () => {
    const { host } = streamed('- a\n- b\n\n- c');

    expect(host.innerHTML).toBe(atOnce('- a\n- b\n\n- c').innerHTML);
  });

  test('that is replaced shrinks', () => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    for (const text of ['- a\n- b\n- c', '- a\n- b', '- x\n- b', '1. x\n2. b']) {
      view.update(text);
      nextFrame();

      expect(host.innerHTML).toBe(atOnce(text).innerHTML);
    }
  });
});

describe('text that is replaced', () => {
  test('in the middle: what is before keeps its nodes', () => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.update('Un.\n\nDeux.\n\nTrois.\n\nQuatre.');
    nextFrame();
    const first = host.firstChild;
    view.update('Un.\n\nAutre.\n\n- a\n\nQuatre.');
    nextFrame();

    expect(host.innerHTML).toBe(atOnce('Un.\n\nAutre.\n\n- a\n\nQuatre.').innerHTML);
    expect(host.firstChild).toBe(first);
  });

  test('by something shorter, or nothing', () => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.update('Un.\n\nDeux.\n\nTrois.');
    nextFrame();
    view.update('Un.');
    nextFrame();
    expect(host.textContent).toBe('Un.');

    view.update('');
    nextFrame();
    expect(host.childNodes).toHaveLength(0);
  });

  test('after the end, as in another attempt', () => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.finish('Raté.\n\nVraiment.');
    view.update('Réussi');
    nextFrame();
    view.finish('Réussi.');

    expect(host.textContent).toBe('Réussi.');
  });
});

describe('drawing', () => {
  test('happens once a frame, whatever comes', () => {
    const onflush = vi.fn();
    const view = new MarkdownView(newHost(), { ...OPTIONS, onflush });
    for (const text of ['a', 'ab', 'abc', 'abcd']) view.update(text);
    expect(onflush).not.toHaveBeenCalled();
    nextFrame();

    expect(onflush).toHaveBeenCalledTimes(1);
  });

  test('the same text again draws nothing', () => {
    const onflush = vi.fn();
    const view = new MarkdownView(newHost(), { ...OPTIONS, onflush });
    view.update('a');
    nextFrame();
    view.update('a');
    nextFrame();

    expect(onflush).toHaveBeenCalledTimes(1);
  });

  test('works without frames, as in a hidden tab', () => {
    vi.stubGlobal('requestAnimationFrame', () => 1);
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.update('caché');
    vi.advanceTimersByTime(1100);
    vi.unstubAllGlobals();

    expect(host.textContent).toBe('caché');
  });

  test('rests three times its cost, half a second at most', () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const onflush = vi.fn(() => (now += 40));
    const view = new MarkdownView(newHost(), { ...OPTIONS, onflush });
    view.update('a');
    nextFrame();
    view.update('ab');
    vi.advanceTimersByTime(100);
    expect(onflush).toHaveBeenCalledTimes(1);

    vi.advanceTimersByTime(60);
    expect(onflush).toHaveBeenCalledTimes(2);
    clock.mockRestore();
  });

  test('a long text takes several frames, and all of it comes', () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 3));
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    const text = Array.from({ length: 30 }, (_, index) => `Paragraphe ${index}.`).join('\n\n');
    view.update(text);
    nextFrame();
    const shown = host.childNodes.length;
    expect(shown).toBeGreaterThan(0);
    expect(shown).toBeLessThan(30);

    vi.advanceTimersByTime(2000);
    expect(host.innerHTML).toBe(atOnce(text).innerHTML);
    clock.mockRestore();
  });

  test('a destroyed view has no timer left and draws nothing', () => {
    const host = newHost();
    const view = new MarkdownView(host, OPTIONS);
    view.update('a');
    view.destroy();
    expect(vi.getTimerCount()).toBe(0);

    view.update('b');
    view.finish('c');
    vi.advanceTimersByTime(2000);
    expect(host.textContent).toBe('');
  });

  test('a finished view has no timer left', () => {
    const view = new MarkdownView(newHost(), OPTIONS);
    view.update('a');
    view.finish('ab');

    expect(vi.getTimerCount()).toBe(0);
  });
});
