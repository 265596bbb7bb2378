// Where files and pages of conversations are.
import type { ConversationId, MessageId } from '../chat/protocol';

export type Form = 'json' | 'md';

/** A zip of all that one has here, with the bytes of files. */
export const EVERYTHING = '/export/everything';

/** The address of a conversation's file; Markdown has the branch that ends at `leaf`. */
export function exportOf(id: ConversationId, form: Form, leaf: MessageId | null): string {
  return `/c/${id}/export/${form}${form === 'md' ? leafIn(leaf) : ''}`;
}

export function printOf(id: ConversationId, leaf: MessageId | null): string {
  return `/c/${id}/print${leafIn(leaf)}`;
}

export function allOf(form: Form): string {
  return `/export/${form}`;
}

export function shareOf(id: string): string {
  return `/s/${id}`;
}

function leafIn(leaf: MessageId | null): string {
  return leaf === null ? '' : `?leaf=${leaf}`;
}
