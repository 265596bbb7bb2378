// What the tests of this folder share: one way to stream, one way to render at once.
import { vi } from 'vitest';
import { MarkdownView, renderOnce } from './stream';
import type { MarkdownOptions } from './stream';

export const OPTIONS: MarkdownOptions = {
  labels: {
    copy: 'Copier',
    copied: 'Copié',
    copyFailed: 'Échec',
    save: 'Enregistrer',
    wrap: 'Replier',
  },
};

export function newHost(): HTMLElement {
  const host = document.createElement('div');
  document.body.append(host);
  return host;
}

export function atOnce(text: string, options = OPTIONS): HTMLElement {
  const host = newHost();
  renderOnce(host, text, options);
  return host;
}

/** Lets one drawing happen, with fake timers. */
export function nextFrame(): void {
  vi.advanceTimersByTime(20);
}

/** Streams `text` one character at a time, one drawing each `every` of them; the caller finishes. */
export function streamed(
  text: string,
  options = OPTIONS,
  every = 1,
): { host: HTMLElement; view: MarkdownView } {
  const host = newHost();
  const view = new MarkdownView(host, options);
  for (let length = 1; length <= text.length; length += 1) {
    view.update(text.slice(0, length));
    if (length % every === 0 || length === text.length) nextFrame();
  }
  return { host, view };
}
