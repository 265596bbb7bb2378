// The company's name, logo and colours, changed while the page is open.
import type { Brand } from './chat/protocol';

/** Has the page take its colours anew; the style sheet of the old ones may be in the cache. */
export function takeColours({ accent, accent_dark }: Brand): void {
  const link = document.querySelector<HTMLLinkElement>('link[href^="/brand.css"]');
  if (link !== null) link.href = `/brand.css?${new URLSearchParams({ accent, accent_dark })}`;
}
