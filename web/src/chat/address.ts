// The page's address says which conversation is open: /c/<id>, or / for a new one.
import type { ConversationId } from './protocol';

const PATTERN = /^\/c\/([\w-]+)\/?$/;

export function conversationIn(path: string): ConversationId | null {
  return PATTERN.exec(path)?.[1] ?? null;
}

/** Where to log in again and come back from; the server says there why. */
export function signInAddress(path: string): string {
  return `/login?${new URLSearchParams({ next: path, notice: 'session_ended' })}`;
}

export function addressOf(id: ConversationId | null): string {
  return id === null ? '/' : `/c/${id}`;
}
