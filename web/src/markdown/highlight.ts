// Colours code: loads highlight.js once it is needed, builds its spans as nodes, never as HTML.
import { Part } from '../part.svelte';

/** What `highlight` needs; without it, code stays plain. */
export const highlighter = new Part(() => import('./languages'));

/** The code in colour, or nothing when its language is unknown or the highlighter not there. */
export function highlight(code: string, language: string): DocumentFragment | undefined {
  const spans = highlighter.now?.toSpans(code, language);
  return spans === undefined ? undefined : spansToNodes(spans);
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
};

/** highlight.js writes spans with a class, text and five entities: nothing else can come out. */
export function spansToNodes(html: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const open: Node[] = [];
  let parent: Node = fragment;
  for (const [piece, names, text] of html.matchAll(
    /<span class="([\w -]*)">|<\/span>|([^<]+|<(?!span class="[\w -]*">|\/span>))/g,
  )) {
    if (names !== undefined) {
      const span = document.createElement('span');
      span.className = names;
      parent.appendChild(span);
      open.push(parent);
      parent = span;
    } else if (text !== undefined) {
      const plain = text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (each) => ENTITIES[each] ?? each);
      parent.appendChild(document.createTextNode(plain));
    } else if (piece === '</span>') parent = open.pop() ?? fragment;
  }
  return fragment;
}
