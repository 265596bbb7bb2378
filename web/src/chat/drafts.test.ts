// Drafts: bounded, of one person, shared by tabs without destroying what is typed in either.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { draftName, merged, readDraft, without, writeDraft } from './drafts';
import { forget, keptNames } from './keep';

const draft = (text: string, client_id: string | null = null) => ({ text, client_id });
const name = draftName(7, null);

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('a draft is read as it was written, and what an older page kept is its text', () => {
  expect(writeDraft(name, draft('Bon\njour', 'id'))).toBe(true);
  expect(readDraft(name)).toMatchObject({ text: 'Bon\njour', client_id: 'id' });
  localStorage.setItem('couachgpt.draft.7.c', '{"a": 1}');
  expect(readDraft(draftName(7, 'c'))).toMatchObject({ text: '{"a": 1}', client_id: null });
});

test('the drafts of one person are bounded: the oldest goes, and nobody else’s', () => {
  writeDraft(draftName(8, null), draft('hers'));
  for (let n = 0; n < 45; n += 1) {
    vi.advanceTimersByTime(1000);
    writeDraft(draftName(7, `c${n}`), draft(`text ${n}`));
  }
  expect(keptNames('draft.7.')).toHaveLength(40);
  expect(readDraft(draftName(7, 'c4')).text).toBe('');
  expect(readDraft(draftName(7, 'c5')).text).toBe('text 5');
  expect(readDraft(draftName(8, null)).text).toBe('hers');
});

test('what is too long, or finds no room, is not kept, and that is said', () => {
  expect(writeDraft(name, draft('a'.repeat(500_001)))).toBe(false);
  writeDraft(draftName(7, 'old'), draft('old'));
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  expect(writeDraft(name, draft('Bonjour'))).toBe(false);
  expect(keptNames('draft.')).toEqual([]); // older ones had to make room
});

test('the end of a session forgets them', () => {
  writeDraft(name, draft('Bonjour'));
  forget('draft.');
  expect(keptNames('')).toEqual([]);
});

test.each([
  ['', false, 'abc', 'abc'], // nothing here: it follows
  ['abc', false, 'xyz', 'xyz'], // taken over before: it follows
  ['abc', false, '', ''], // sent there
  ['abc', true, 'xyz', 'abc'], // typed here: it stays
  ['abc', true, '', 'abc'],
  ['abc', true, 'abcd', 'abcd'], // they go on with it
])('a tab that shows %j (own: %j) shows, after %j, %j', (shown, isOwn, theirs, expected) => {
  expect(merged(shown, isOwn, theirs)).toBe(expected);
});

test('what the server has is taken out of the draft that one left there', () => {
  const asked = draft('Bonjour', 'id');
  expect(without(asked, asked).text).toBe('');
  expect(without(asked, draft('Bonjour\net puis')).text).toBe('et puis');
  expect(without(asked, draft('autre')).text).toBe('autre');
});
