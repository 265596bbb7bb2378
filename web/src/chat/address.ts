// The page's address says what is open: /c/<id>, with #<number> at one message, or / for a new one.
import type { ConversationId, MessageId } from './protocol';

const PATTERN = /^\/c\/([\w-]+)\/?$/;

export function conversationIn(path: string): ConversationId | null {
  return PATTERN.exec(path)?.[1] ?? null;
}

/** Where to log in again and come back from; the server says there why. */
export function signInAddress(path: string): string {
  return `/login?${new URLSearchParams({ next: path, notice: 'session_ended' })}`;
}

/** Returns the address of a conversation, at a message where one is given. */
export function addressOf(id: ConversationId | null, message: MessageId | null = null): string {
  const path = id === null ? '/' : `/c/${id}`;
  return message === null ? path : `${path}#${message}`;
}

/** The id of a message's element; not that of the address, to which a browser scrolls by itself. */
export function anchorOf(message: MessageId): string {
  return `message-${message}`;
}

export function messageIn(hash: string): MessageId | null {
  const found = /^#(\d{1,15})$/.exec(hash);
  return found === null ? null : Number(found[1]);
}
