// Older conversations, page by page, of the list and of folders.
import { expect, test } from 'vitest';
import { Listing } from './listing';
import type { Conversation, FolderId, Page, Place } from './protocol';
import { example } from './testing';
import type { View } from './view';
import { FIRST_VIEW } from './view';

const one = (id: string, change: Partial<Conversation> = {}): Conversation => ({
  ...(example('conversation') as { conversation: Conversation }).conversation,
  id,
  folder: null,
  ...change,
});
const page = (ids: string[], has_more: boolean): Page => ({
  conversations: ids.map((id) => one(id)),
  has_more,
});

function reader() {
  const listing = new Listing();
  let view: View = FIRST_VIEW;
  const asked: (string | undefined)[] = [];
  return {
    asked,
    ids: () => view.conversations.map(({ id }) => id),
    view: () => view,
    begin: (first: Page) => (view = { ...view, ...listing.begin(first) }),
    change: (change: Partial<View>) => (view = { ...view, ...change }),
    older: async (folder: FolderId | null, answer: Page, meanwhile = (): void => undefined) => {
      const fetch = (before: Place | null): Promise<Page> => {
        asked.push(before?.id);
        meanwhile();
        return Promise.resolve(answer);
      };
      const change = await listing.older(folder, fetch, () => view);
      view = { ...view, ...change };
    },
  };
}

test('the next page comes after the last that was sent, whatever was listed since', async () => {
  const list = reader();
  list.begin(page(['a', 'b'], true));
  list.change({ conversations: [...list.view().conversations, one('z', { updated_at: '2000' })] });

  await list.older(null, page(['c', 'z'], true));
  await list.older(null, page(['d'], false));

  expect(list.asked).toEqual(['b', 'z']);
  expect(list.ids()).toEqual(['a', 'b', 'z', 'c', 'd']);
  expect(list.view().hasOlder).toBe(false);
});

test('a folder is read on from where the list ends, then by itself', async () => {
  const list = reader();
  list.begin(page(['a'], true));

  await list.older(3, page(['f'], true));
  await list.older(3, page(['g'], false));
  await list.older(null, page(['b'], true));

  expect(list.asked).toEqual(['a', 'f', 'a']);
  expect(list.view().whole).toEqual(new Set([3]));
  expect(list.view().hasOlder).toBe(true);
});

test('a page that was asked for before the list began anew is dropped', async () => {
  const list = reader();
  list.begin(page(['a'], true));

  await list.older(null, page(['gone'], true), () => list.begin(page(['new'], false)));

  expect(list.ids()).toEqual(['new']);
  expect(list.view().hasOlder).toBe(false);
});
