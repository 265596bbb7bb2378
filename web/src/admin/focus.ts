// Where the keyboard is, when what it was on goes away.
import { tick } from 'svelte';

/** Returns what puts the focus back, as near as what is left of the page allows. */
export function keepFocus(from: Element | null): () => Promise<void> {
  const around: Element[] = [];
  for (let each = from; each !== null; each = each.parentElement) around.push(each);
  return async () => {
    await tick();
    if (document.activeElement !== null && document.activeElement !== document.body) return;
    for (const each of around.filter(({ isConnected }) => isConnected)) {
      const next = each.matches(CONTROLS) ? each : each.querySelector(CONTROLS);
      if (next instanceof HTMLElement) {
        next.focus();
        return;
      }
    }
  };
}

const CONTROLS = ['button', 'select', 'input', 'textarea', 'summary']
  .map((name) => `${name}:not(:disabled, [type='hidden'])`)
  .join(', ');
