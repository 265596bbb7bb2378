// The small parts: ids, scrolling, days, addresses, what the browser keeps, the theme.
import { afterEach, expect, test, vi } from 'vitest';
import { currentTheme, setTheme } from '../theme';
import { addressOf, conversationIn, signInAddress } from './address';
import { byDay } from './days';
import { newClientId } from './ids';
import { forget, keep, kept } from './keep';
import { shortened } from './said';
import { AT_BOTTOM, isAway, scrolled } from './scroll';
import { example } from './testing';

afterEach(() => {
  vi.unstubAllGlobals();
});

test('an id is 32 hexadecimal digits, and another each time', () => {
  const ids = new Set(Array.from({ length: 100 }, () => newClientId()));

  expect(ids.size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test('small bytes keep their zero', () => {
  expect(newClientId({ getRandomValues: (bytes) => bytes })).toBe('0'.repeat(32));
});

test('a long title is shortened, whole letters long, and a short one is not', () => {
  expect(shortened('Tarte aux pommes')).toBe('Tarte aux pommes');
  expect(shortened('⛵'.repeat(40))).toBe('⛵'.repeat(40));
  expect(shortened('🚤'.repeat(41))).toBe(`${'🚤'.repeat(39)}…`);
  expect(shortened(`${'a'.repeat(38)} bcd`)).toBe(`${'a'.repeat(38)}…`);
});

const at = (scrollTop: number, scrollHeight = 1000, clientHeight = 400) => ({
  scrollTop,
  scrollHeight,
  clientHeight,
});

test('the smallest scroll upwards lets go', () => {
  const bottom = scrolled(AT_BOTTOM, at(600));

  expect(bottom.isFollowing).toBe(true);
  expect(scrolled(bottom, at(599)).isFollowing).toBe(false);
});

test('down to the bottom takes up again; a bit down does not', () => {
  const up = scrolled(scrolled(AT_BOTTOM, at(600)), at(200));

  expect(scrolled(up, at(300)).isFollowing).toBe(false);
  expect(scrolled(up, at(599)).isFollowing).toBe(true);
});

test('a scroll of ours that is told late does not take up again', () => {
  const bottom = scrolled(AT_BOTTOM, at(600));
  const letGo = { ...bottom, isFollowing: false }; // a wheel has spoken, and not moved yet

  expect(scrolled(letGo, at(600)).isFollowing).toBe(false);
});

test('growth alone does not let go, nor does a list that became shorter', () => {
  const bottom = scrolled(AT_BOTTOM, at(600));

  expect(scrolled(bottom, at(600, 1400)).isFollowing).toBe(true);
  expect(scrolled(bottom, at(300, 700)).isFollowing).toBe(true);
});

test('more room, such as a button that goes, does not let go', () => {
  const bottom = scrolled(AT_BOTTOM, at(600));

  expect(scrolled(bottom, at(540, 1000, 460)).isFollowing).toBe(true);
});

test('a way back is offered only where the bottom is out of sight', () => {
  const bottom = scrolled(AT_BOTTOM, at(600));
  const up = scrolled(bottom, at(593));

  expect(isAway(up, at(593))).toBe(false);
  expect(isAway(up, at(480))).toBe(false);
  expect(isAway(up, at(479))).toBe(true);
  expect(isAway(bottom, at(479))).toBe(false);
});

test('conversations are grouped by day, newest first', () => {
  const now = new Date(2026, 10, 23, 0, 30);
  const days = [0, 1, 3, 20, 100, 101].map((ago) => new Date(2026, 10, 23 - ago, 0, 10));
  const conversations = days.reverse().map((day, id) => ({
    ...example('conversation').conversation,
    id: String(id),
    updated_at: day.toISOString(),
  }));

  const groups = byDay(conversations, now, 'en');

  expect(groups.map(({ label }) => label)).toEqual([
    'Today',
    'Yesterday',
    'Last 7 days',
    'Last 30 days',
    'August 2026',
  ]);
  expect(groups.map((group) => group.conversations.length)).toEqual([1, 1, 1, 1, 2]);
});

test('an address names a conversation, or none', () => {
  expect(conversationIn(addressOf('q0Vb3y_-'))).toBe('q0Vb3y_-');
  expect(conversationIn(addressOf(null))).toBeNull();
  expect(conversationIn('/c/a/b')).toBeNull();
});

test('what is kept comes back, and the empty text is forgotten', () => {
  keep('draft.x', 'Bonjour');
  expect(kept('draft.x')).toBe('Bonjour');
  keep('draft.x', '');
  expect(kept('draft.x')).toBe('');
});

test('at the end of a session the drafts go, and nothing else', () => {
  keep('draft.7.new', 'Bonjour');
  keep('model', 'small');
  forget('draft.');

  expect(kept('draft.7.new')).toBe('');
  expect(kept('model')).toBe('small');
});

test('who must log in again comes back to the same place', () => {
  expect(signInAddress('/c/a_-1')).toBe('/login?next=%2Fc%2Fa_-1&notice=session_ended');
});

test('a browser that keeps nothing is no error', () => {
  vi.stubGlobal('localStorage', undefined);

  expect(() => keep('a', 'b')).not.toThrow();
  expect(() => forget('a')).not.toThrow();
  expect(kept('a')).toBe('');
});

test('the theme is shown at once and kept in a cookie', () => {
  setTheme('dark');
  expect(currentTheme()).toBe('dark');
  expect(document.cookie).toContain('theme=dark');
  setTheme('auto');
  expect(currentTheme()).toBe('auto');
  expect(document.cookie).not.toContain('theme');
});
