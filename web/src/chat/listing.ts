// How far the list of conversations is known, and each folder: what is older is fetched on demand.
import type { Conversation, FolderId, Page, Place } from './protocol';
import { placeOf } from './shelves';
import type { View } from './view';

export class Listing {
  // What changed may stand anywhere: only what was sent page by page says how far one is.
  private reached = new Map<FolderId | null, Place>();

  /** Returns the view of a list that begins anew. */
  begin({ conversations, has_more: hasOlder }: Page): Partial<View> {
    this.reached = new Map();
    this.reach(null, conversations);
    return { conversations, hasOlder, whole: new Set() };
  }

  /** Returns what the view becomes by the next page of the list, or of a folder. */
  async older(
    folder: FolderId | null,
    fetch: (before: Place | null) => Promise<Page>,
    view: () => View,
  ): Promise<Partial<View>> {
    const { reached } = this;
    const page = await fetch(reached.get(folder) ?? reached.get(null) ?? null);
    if (reached !== this.reached) return {}; // the list began anew meanwhile
    this.reach(folder, page.conversations);
    const { conversations, hasOlder, whole } = view();
    const known = new Set(conversations.map(({ id }) => id));
    return {
      conversations: [...conversations, ...page.conversations.filter(({ id }) => !known.has(id))],
      hasOlder: folder === null ? page.has_more : hasOlder,
      whole: folder === null || page.has_more ? whole : new Set([...whole, folder]),
    };
  }

  private reach(folder: FolderId | null, page: readonly Conversation[]): void {
    const last = page.at(-1);
    if (last !== undefined) this.reached.set(folder, placeOf(last));
  }
}
