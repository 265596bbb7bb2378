// What the sidebar shows: folders by name, with what is in them; and what is in none.
import type { Conversation, ConversationId, Folder, FolderId } from './protocol';
import type { View } from './view';

export interface Filled {
  readonly folder: Folder;
  readonly conversations: readonly Conversation[];
  /** Whether there are older ones in it than these. */
  readonly hasOlder: boolean;
}

/** What can be done in the list besides choosing. */
export interface Filing {
  /** Fetches older ones of a folder, or of the whole list. */
  readonly older: (folder: FolderId | null) => Promise<void>;
  /** Lets somebody change a folder, or make one. */
  readonly edit: (folder: Folder | null) => void;
  /** Puts a conversation into a folder, or into none. */
  readonly move: (conversation: ConversationId, folder: FolderId | null) => void;
}

/** Returns the folders in the order of their names. */
export const byName = (folders: readonly Folder[], language: string): readonly Folder[] =>
  folders.toSorted((a, b) => a.name.localeCompare(b.name, language, { numeric: true }));

/** Returns what each folder holds, pinned and newest first. */
export const filled = (
  { conversations, folders, hasOlder, whole }: View,
  language: string,
): readonly Filled[] =>
  byName(folders, language).map((folder) => ({
    folder,
    conversations: conversations
      .filter((each) => each.folder === folder.id)
      .toSorted(
        (a, b) =>
          Number(b.is_pinned) - Number(a.is_pinned) || b.updated_at.localeCompare(a.updated_at),
      ),
    hasOlder: hasOlder && !whole.has(folder.id),
  }));

/** Returns what is in no folder, or in one that is gone. */
export function loose({ conversations, folders }: View): readonly Conversation[] {
  const isKnown = new Set<FolderId | null>(folders.map(({ id }) => id));
  return conversations.filter((each) => !isKnown.has(each.folder));
}
