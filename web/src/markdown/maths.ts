// Formulas in markdown: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, and what is no formula but money.
import type { TokenizerAndRendererExtension, Tokens } from 'marked';

const LONGEST = 4000; // characters: KaTeX takes milliseconds for a hundred

// No blank line in it, as in TeX: what came before an end that never comes may be closed.
const BLOCK = /^ {0,3}(\$\$(?!\$)[^$]+?\$\$|\\\[[^]+?\\\])[ \t]*(?:\n|$)/;
const DISPLAY = /^(?:\$\$(?!\$)[^$]+?\$\$|\\\[[^]+?\\\])/;
const ROUND = /^\\\([^\n]+?\\\)/;
// Neither a blank inside at the ends nor a digit after: `$5 and $6` is no formula, nor `$5/$6`.
const DOLLAR = /^\$(?![\s$])(?:\\[^\n]|[^\\$\n])*?[^\s\\$]\$(?!\d)/;
const MONEY = /^\$\d[\d.,]*\s+[a-zà-ÿ]{2}/i;
const LONGEST_BEFORE_LETTER = 5; // `$n$th` is a formula, `$HOME/bin:$PATH` is not

const display: TokenizerAndRendererExtension = {
  name: 'formula',
  level: 'block',
  start: (source) => {
    const found = source.search(/\n {0,3}(?:\$\$|\\\[)/);
    return found < 0 ? undefined : found + 1;
  },
  tokenizer(source) {
    const [raw, formula = ''] = BLOCK.exec(source.slice(0, LONGEST)) ?? [];
    if (raw === undefined || /\n[ \t]*\n/.test(formula)) return undefined;
    return { type: 'formula', raw, formula };
  },
  renderer(token) {
    return `<p>${code(token, 'maths maths-display')}</p>\n`;
  },
};

const inline: TokenizerAndRendererExtension = {
  name: 'maths',
  level: 'inline',
  start: (source) => {
    const found = source.search(/\$|\\[([]/);
    return found < 0 ? undefined : found;
  },
  tokenizer(source, before) {
    const raw = formulaAt(source.slice(0, LONGEST), before.at(-1)?.raw ?? '');
    if (raw === undefined) return undefined;
    const isDisplay = raw.startsWith('$$') || raw.startsWith('\\[');
    return { type: 'maths', raw, formula: raw, isDisplay };
  },
  renderer(token) {
    const { isDisplay } = token as Tokens.Generic & { isDisplay: boolean };
    return code(token, isDisplay ? 'maths maths-display' : 'maths');
  },
};

export const maths = [display, inline];

/** Says whether a display formula begins in `text` that has not ended in it. */
export function isFormulaOpen(text: string): boolean {
  return /(?:^|\n) {0,3}(?:\$\$[^$]*|\\\[(?:(?!\\\])[^])*)$/.test(text);
}

/** The formula with which `source` begins, if it begins with one; `before` is the text before it. */
function formulaAt(source: string, before: string): string | undefined {
  const [wide] = DISPLAY.exec(source) ?? [];
  if (wide !== undefined) {
    // `see \[1\]` has escaped brackets; of a formula there is more.
    const isText = wide.startsWith('\\[') && !/[\\^_=+]/.test(wide.slice(2, -2));
    return isText || /\n[ \t]*\n/.test(wide) ? undefined : wide;
  }
  const [round] = ROUND.exec(source) ?? [];
  if (round !== undefined) return round;
  const [found] = DOLLAR.exec(source) ?? [];
  if (found === undefined || MONEY.test(source) || /[\p{L}\p{N}]$/u.test(before)) return undefined;
  const isBeforeLetter = /^\p{L}/u.test(source.slice(found.length));
  return isBeforeLetter && found.length > LONGEST_BEFORE_LETTER ? undefined : found;
}

function code(token: Tokens.Generic, classes: string): string {
  const { formula } = token as Tokens.Generic & { formula: string };
  const text = formula.replace(/[&<>]/g, (each) => `&#${each.charCodeAt(0)};`);
  return `<code class="${classes}">${text}</code>`;
}
