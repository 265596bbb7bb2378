// A conversation as its file has it (docs/export.md), and the branch of it that is shown.
import type { Attachment, User } from '../chat/protocol';

/** What the server tells the page that shows one. */
export interface DocumentProps {
  readonly user: User;
  readonly language: string;
  readonly brand: string;
  /** Where its JSON is. */
  readonly source: string;
  readonly leaf: number | null;
  /** What is shared with this person; null for what is one's own. */
  readonly share: string | null;
  /** Whose questions these are. */
  readonly owner: string;
}

export interface Written {
  readonly id: number;
  readonly parent: number | null;
  readonly author: 'person' | 'model';
  readonly model: string | null;
  readonly created_at: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

export interface WrittenConversation {
  readonly title: string;
  readonly created_at: string;
  readonly messages: readonly Written[];
}

/** Returns the branch that ends at `leaf`, or at the last message. */
export function branchOf(messages: readonly Written[], leaf: number | null): readonly Written[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const branch: Written[] = [];
  let at = leaf === null ? messages.at(-1) : byId.get(leaf);
  while (at !== undefined && branch.length < messages.length) {
    branch.push(at);
    at = at.parent === null ? undefined : byId.get(at.parent);
  }
  return branch.reverse();
}
