// The way back to the conversation that one came from, on the pages beside the chat.
import { keep, kept } from './chat/keep';

const NAME = 'back';

/** Lets the link to the chat lead there; where one came from is known in this tab alone. */
export function leadBack(link: HTMLAnchorElement | null): void {
  const from = URL.canParse(document.referrer) ? new URL(document.referrer) : null;
  const isChat = from?.origin === location.origin && /^\/(c\/[^/]+)?$/.test(from.pathname);
  // From one of these pages to another, it stays as it was.
  if (isChat) keep(NAME, from.pathname, 'sessionStorage');
  if (link !== null) link.href = kept(NAME, 'sessionStorage') || '/';
}
