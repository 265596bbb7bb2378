// Draws one block as nodes: sanitised first, then decorated by DOM calls.
import type { Token, Tokens } from 'marked';
import { fenceLanguage, toHtml } from './blocks';
import { CodeText, decorateCodeBlock } from './code-block';
import type { Labels } from './code-block';
import { drawFormulas } from './formulas';
import { sanitize } from './sanitize';

export interface DrawOptions {
  labels: Labels;
  /** Colour code; yes unless said otherwise. */
  highlight?: boolean;
}

export interface Drawn {
  nodes: Node[];
  /** The text of a block that is nothing but code: it can grow without being drawn again. */
  code?: CodeText;
}

export function isCode(token: Token): token is Tokens.Code {
  return token.type === 'code';
}

export function draw(token: Token, options: DrawOptions): Drawn {
  return isCode(token) ? drawCode(token, options) : drawText(token, options);
}

// Code needs no markup, so it meets neither the parser nor the sanitiser.
function drawCode(token: Tokens.Code, { labels, highlight = true }: DrawOptions): Drawn {
  const pre = document.createElement('pre');
  const code = document.createElement('code');
  const language = fenceLanguage(token.lang);
  if (language) code.className = `language-${language}`;
  pre.append(code);
  const frame = decorateCodeBlock(pre, labels);
  return { nodes: [frame], code: new CodeText(code, highlight) };
}

function drawText(token: Token, { labels, highlight = true }: DrawOptions): Drawn {
  const fragment = safeNodes(token);
  for (const pre of fragment.querySelectorAll('pre')) {
    const code = pre.querySelector('code') ?? pre;
    const text = code.textContent.replace(/\n$/, '');
    code.textContent = text;
    decorateCodeBlock(pre, labels);
    new CodeText(code, highlight).set(text, true);
  }
  drawFormulas(fragment);
  for (const table of fragment.querySelectorAll('table')) {
    const scroll = document.createElement('div');
    scroll.className = 'table-scroll';
    scroll.tabIndex = 0; // what scrolls must be reachable by keyboard
    table.replaceWith(scroll);
    scroll.append(table);
  }
  // Line ends between blocks, items and rows show nothing, and would differ in what grew.
  for (const parent of [
    fragment,
    ...fragment.querySelectorAll('ul, ol, table, thead, tbody, tr'),
  ]) {
    for (const node of [...parent.childNodes]) {
      if (node instanceof Text && node.data.trim() === '') node.remove();
    }
  }
  return { nodes: [...fragment.childNodes] };
}

function safeNodes(token: Token): DocumentFragment {
  try {
    return document.importNode(sanitize(toHtml(token)), true);
  } catch {
    // Nested beyond the stack: the text itself is better than nothing.
    const fragment = document.createDocumentFragment();
    const paragraph = document.createElement('p');
    paragraph.textContent = token.raw;
    fragment.append(paragraph);
    return fragment;
  }
}
