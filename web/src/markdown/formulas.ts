// Draws formulas: KaTeX is fetched once an answer has one; until then, and if broken, they are text.
import { Part } from '../part.svelte';

/** What drawing needs. */
export const typesetter = new Part(() => import('./katex'));

/** Draws the formulas below `root` as soon as that can be. */
export function drawFormulas(root: ParentNode): void {
  const found = root.querySelectorAll('code.maths');
  if (found.length === 0) return;
  if (typesetter.now !== undefined) found.forEach(drawFormula);
  else void typesetter.load().then((loaded) => loaded && found.forEach(drawFormula));
}

function drawFormula(code: Element): void {
  const source = code.textContent;
  const drawn = document.createElement('span');
  drawn.className = code.className;
  const ends = source.startsWith('$') && !source.startsWith('$$') ? 1 : 2;
  const formula = source.slice(ends, -ends);
  const isDisplay = code.classList.contains('maths-display');
  if (typesetter.now?.typeset(formula, drawn, isDisplay) === true) code.replaceWith(drawn);
}
