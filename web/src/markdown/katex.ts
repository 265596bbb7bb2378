// KaTeX, a chunk of its own with its styles and fonts, as we let answers use it.
import katex from 'katex';
import 'katex/dist/katex.min.css';

const OPTIONS = {
  trust: false, // no addresses, no classes, no images
  maxExpand: 200, // a definition that calls itself ends
  maxSize: 20, // em: no rule as large as the page
  strict: false, // a `é` in a formula is no reason for a warning
  throwOnError: true,
} as const;

/** Draws a formula in an element; says whether it could. By nodes, so that the CSP holds. */
export function typeset(formula: string, host: HTMLElement, displayMode: boolean): boolean {
  try {
    katex.render(formula, host, { ...OPTIONS, displayMode });
    return true;
  } catch {
    return false;
  }
}
