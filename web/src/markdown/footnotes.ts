// Footnotes: `[^1]` in the text, `[^1]: …` where they stand, with links between them.
import type { Lexer, TokenizerAndRendererExtension, Tokens } from 'marked';

// What follows the first line is indented; of code that stands by itself it cannot be told apart.
const DEFINITION = /^ {0,3}\[\^([^\]\s]{1,40})\]:[ \t]*([^\n]*(?:\n+(?: {4}|\t)[^\n]+)*)(?:\n|$)/;
const USE = /^\[\^([^\]\s]{1,40})\]/;

/** The name under which a definition is known among those of links; none of a link can be so. */
const nameOf = (label: string): string => `]${label}`;

interface Extended {
  lexer: Lexer;
}

const definition: TokenizerAndRendererExtension = {
  name: 'footnote',
  level: 'block',
  start: (source) => {
    const found = source.search(/\n {0,3}\[\^/);
    return found < 0 ? undefined : found + 1;
  },
  tokenizer(this: Extended, source) {
    const found = DEFINITION.exec(source);
    if (!found) return undefined;
    const [raw, label = '', text = ''] = found;
    const tag = nameOf(label);
    this.lexer.tokens.links[tag] ??= { href: '', title: null };
    const tokens = this.lexer.blockTokens(text.replace(/\n(?: {4}|\t)/g, '\n'), []);
    return { type: 'footnote', raw, tag, label, tokens };
  },
  renderer(token) {
    const { label, tokens } = token as Tokens.Generic & { label: string };
    const back = `<a href="#fnref-${encodeURIComponent(label)}">${escaped(label)}</a>`;
    return `<div class="footnote">${back}<div>${this.parser.parse(tokens ?? [])}</div></div>\n`;
  },
};

const use: TokenizerAndRendererExtension = {
  name: 'footnoteUse',
  level: 'inline',
  start: (source) => {
    const found = source.indexOf('[^');
    return found < 0 ? undefined : found;
  },
  tokenizer(this: Extended, source) {
    const [raw, label = ''] = USE.exec(source) ?? [];
    // Without its note it is what it is: text.
    if (raw === undefined || !(nameOf(label) in this.lexer.tokens.links)) return undefined;
    return { type: 'footnoteUse', raw, label };
  },
  renderer(token) {
    const { label } = token as Tokens.Generic & { label: string };
    const link = `<a href="#fn-${encodeURIComponent(label)}">${escaped(label)}</a>`;
    return `<sup class="footnote-use">${link}</sup>`;
  },
};

export const footnotes = [definition, use];

const escaped = (label: string): string =>
  label.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);

/** Goes from a use to its note, and back to the first use; to nothing for any other click. */
export function followFootnote(event: MouseEvent, host: Element): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const address = link?.getAttribute('href') ?? '';
  const isUse = link?.parentElement?.className === 'footnote-use';
  const isNote = link?.parentElement?.className === 'footnote';
  if (!isUse && !isNote) return;
  event.preventDefault(); // the address of the page is that of a message
  const wanted = isUse ? address.replace('#fn-', '#fnref-') : address.replace('#fnref-', '#fn-');
  const links = host.querySelectorAll<HTMLAnchorElement>(
    isUse ? '.footnote > a' : '.footnote-use > a',
  );
  [...links].find((each) => each.getAttribute('href') === wanted)?.focus();
}
