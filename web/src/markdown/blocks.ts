// Cuts markdown into top-level blocks, says which of them later text can no longer change.
import { Lexer, Marked } from 'marked';
import type { Token } from 'marked';
import { footnotes } from './footnotes';
import { isFormulaOpen, maths } from './maths';

export type Links = Lexer['tokens']['links'];

export interface Lexed {
  /** What is to be drawn, in order; blank lines are left out. */
  blocks: Token[];
  /** How many leading blocks no later text can change, while the text only grows. */
  settled: number;
  /** How much of the source those blocks take, after 1, 2, ... of them. */
  ends: number[];
  /** All link definitions known: those given and those found. */
  links: Links;
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

const marked = new Marked({
  extensions: [...footnotes, ...maths],
  gfm: true,
  breaks: true, // poems, addresses: a model that starts a new line means one
  tokenizer: {
    // marked lets what stands inside <pre> or <script> through unescaped: a tag is only text here.
    tag(source) {
      const raw = this.rules.inline.tag.exec(source)?.[0];
      if (raw === undefined) return undefined;
      return { type: 'html', raw, text: raw, inLink: false, inRawBlock: false, block: false };
    },
  },
  renderer: {
    html({ text, block }) {
      if (block) return `<p>${escape(text.trim()).replaceAll('\n', '<br>')}</p>\n`;
      // The only way to a second line in a table's cell, so models use it: the one tag that works.
      return /^<br\s*\/?>$/i.test(text) ? '<br>' : escape(text);
    },
    checkbox({ checked }) {
      return `<span class="task-box">${checked ? '☑' : '☐'}</span> `; // no form elements in an answer
    },
  },
});

/** Windows' and old Macs' line ends as `\n`; what was normalised stays a prefix when text grows. */
export function normalise(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** The blocks of `source` (normalised); `links` are the definitions of the text before it. */
export function lex(source: string, links: Links): Lexed {
  const lexer = new Lexer(marked.defaults);
  Object.assign(lexer.tokens.links, links);
  let tokens: Token[];
  try {
    tokens = lexer.lex(source);
  } catch {
    // Thousands of nested quotes exhaust the stack: the text itself is better than nothing.
    tokens = [{ type: 'html', block: true, raw: source, text: source }];
  }
  return { ...cut(source, tokens), links: lexer.tokens.links };
}

function cut(source: string, tokens: Token[]): Omit<Lexed, 'links'> {
  const blocks: Token[] = [];
  const ends: number[] = [];
  let settled = 0;
  let offset = 0;
  let blank = false;
  let faithful = true; // while the lexer's pieces are those of the source, letter by letter
  tokens.forEach((token, index) => {
    faithful &&= source.startsWith(token.raw, offset);
    offset += token.raw.length;
    if (token.type === 'space') {
      blank = true;
      return;
    }
    const before = blocks.at(-1);
    const parted = blank || before?.raw.endsWith('\n\n') === true;
    const last = index === tokens.length - 1;
    if (before && faithful && settled === blocks.length - 1 && closes(before, parted, token, last))
      settled = blocks.length;
    blocks.push(token);
    ends.push(offset);
    blank = false;
  });
  return { blocks, settled, ends };
}

/** Whether `before` can no longer change, seeing the block `next` after it. */
function closes(before: Token, parted: boolean, next: Token, last: boolean): boolean {
  switch (before.type) {
    case 'code':
    case 'formula':
    case 'heading':
    case 'hr':
    case 'html':
      return true; // these end by themselves, or at a line that is over
    case 'list':
      // After a blank line only a bullet or a number can still turn out to be one more item.
      if (parted && /^\s*[^\s\d*+-]/.test(next.raw)) return true;
      break;
    case 'def':
      break; // its title may stand on the next line
    default:
      if (parted) return true;
      if (isFormulaOpen(before.raw)) return false; // its end makes one of what looks like a list
  }
  if (!last) return true;
  // `***` is a rule, `***bold***` more of the paragraph: a line decides once it is complete. A table
  // is one when its second line is.
  const lines = next.raw.split('\n', 3).length - 1;
  return lines >= (next.type === 'table' ? 2 : 1);
}

/** One block as HTML: not safe to show before `sanitize`. */
export function toHtml(token: Token): string {
  return marked.parser([token]);
}

/** The language a fence names: its first word, if it looks like a name. */
export function fenceLanguage(info: string | undefined): string {
  return /^[\w+#.-]{1,32}(?=\s|$)/.exec(info ?? '')?.[0] ?? '';
}
