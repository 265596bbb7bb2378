// Where conversations are, in which group of days, and what can be done with them there.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeAll, expect, test, vi } from 'vitest';
import { byDay, daysIn, momentText } from './days';
import Menu from './Menu.svelte';
import type { Conversation } from './protocol';
import { actsFor, daysLeft, listedWith } from './shelves';
import { example } from './testing';

const conversation = (id: string, change: Partial<Conversation> = {}): Conversation => ({
  ...example('conversation').conversation,
  id,
  ...change,
});
const labels = (moments: readonly string[], now: string, zone: string): string[] =>
  byDay(
    moments.map((updated_at, n) => conversation(String(n), { updated_at })),
    new Date(now),
    'en',
    zone,
  ).map(({ label }) => label);

// jsdom has no top layer.
beforeAll(() => {
  HTMLElement.prototype.showPopover = () => undefined;
});

test('one moment is another day in another zone', () => {
  const late = ['2026-11-22T23:30:00.000Z'];

  expect(labels(late, '2026-11-23T12:00:00Z', 'Europe/Paris')).toEqual(['Today']);
  expect(labels(late, '2026-11-23T12:00:00Z', 'America/New_York')).toEqual(['Yesterday']);
  expect(labels(late, '2026-11-23T12:00:00Z', 'UTC')).toEqual(['Yesterday']);
});

test.each([
  ['the day of 25 hours', '2026-10-24T22:10:00.000Z', '2026-10-25T22:50:00Z', 'Today'],
  ['the day after it', '2026-10-24T22:10:00.000Z', '2026-10-25T23:10:00Z', 'Yesterday'],
  ['the day of 23 hours', '2026-03-28T23:10:00.000Z', '2026-03-29T21:50:00Z', 'Today'],
  ['the day after that', '2026-03-28T23:10:00.000Z', '2026-03-29T22:10:00Z', 'Yesterday'],
])('the clock may change: %s', (_name, moment, now, label) => {
  expect(labels([moment], now, 'Europe/Paris')).toEqual([label]);
});

test('days follow one another over a whole year with its two changes', () => {
  const dayOf = daysIn('Europe/Paris');
  const noons = Array.from({ length: 366 }, (_, n) =>
    dayOf(new Date(Date.UTC(2026, 0, 1 + n, 11))),
  );

  expect(new Set(noons.map((day, n) => day - n)).size).toBe(1);
});

test('a month is that of the zone, and a year ago is not this month', () => {
  expect(labels(['2026-08-31T23:00:00.000Z'], '2026-11-23T12:00:00Z', 'Europe/Paris')).toEqual([
    'September 2026',
  ]);
  expect(labels(['2025-11-23T12:00:00.000Z'], '2026-11-23T12:00:00Z', 'UTC')).toEqual([
    'November 2025',
  ]);
});

test('what is pinned comes first, however old', () => {
  const groups = byDay(
    [
      conversation('new', { updated_at: '2026-11-23T08:00:00.000Z' }),
      conversation('old', { updated_at: '2020-01-01T08:00:00.000Z', is_pinned: true }),
    ],
    new Date('2026-11-23T12:00:00Z'),
    'en',
    'UTC',
  );

  expect(groups.map(({ label }) => label)).toEqual(['Pinned', 'Today']);
  expect(groups[0]?.conversations.map(({ id }) => id)).toEqual(['old']);
});

test('a moment is written with the time of its zone', () => {
  expect(momentText('2026-07-01T22:30:00.000Z', 'fr', 'Europe/Paris')).toMatch(
    /2 juil\. 2026.*00:30/,
  );
  expect(momentText('2026-12-01T22:30:00.000Z', 'fr', 'Europe/Paris')).toMatch(
    /1 déc\. 2026.*23:30/,
  );
});

test.each([
  [{}, ['a', 'b']],
  [{ is_archived: true }, ['b']],
  [{ deleted_at: '2026-11-23T08:00:00.000Z' }, ['b']],
])('the list after a change holds neither archive nor bin (%#)', (change, left) => {
  const before = [conversation('b'), conversation('a')];

  expect(listedWith(before, conversation('a', change)).map(({ id }) => id)).toEqual(left);
});

test('what comes back from the bin is listed again', () => {
  expect(listedWith([], conversation('a')).map(({ id }) => id)).toEqual(['a']);
});

test('what can be done depends on where it is', () => {
  const deleted_at = '2026-11-23T08:00:00.000Z';
  expect(actsFor(conversation('a'))).toEqual([
    'rename',
    'move',
    'pin',
    'archive',
    'share',
    'export',
    'delete',
  ]);
  expect(actsFor(conversation('a', { is_pinned: true }))).toContain('unpin');
  expect(actsFor(conversation('a', { is_archived: true }))).toContain('unarchive');
  expect(actsFor(conversation('a', { is_archived: true, deleted_at }))).toEqual(['restore']);
});

test.each([
  [0, 30],
  [1, 30],
  [24 * 29 + 1, 1],
  [24 * 40, 0],
])('after %d hours in the bin of 30 days, %d days are left', (hours, left) => {
  const deleted_at = '2026-11-23T08:00:00.000Z';
  const now = Date.parse(deleted_at) + hours * 3_600_000;

  expect(daysLeft(conversation('a', { deleted_at }), 30, now)).toBe(left);
  expect(daysLeft(conversation('a', { deleted_at }), 0, now)).toBeNull();
});

test('the menu goes by arrows, does one thing, and gives the focus back', async () => {
  const anchor = document.body.appendChild(document.createElement('button'));
  const calls = { onact: vi.fn(), onclose: vi.fn() };
  render(Menu, { props: { conversation: conversation('a'), anchor, ...calls } });
  const focused = (): string | undefined => document.activeElement?.textContent.trim();
  const press = (key: string) => fireEvent.keyDown(document.activeElement ?? anchor, { key });

  expect(focused()).toBe('Rename…');
  await press('ArrowUp');
  expect(focused()).toBe('Delete…');
  await press('ArrowDown');
  expect(focused()).toBe('Rename…');
  await press('End');
  await press('Home');
  await press('ArrowDown');
  await fireEvent.click(screen.getByRole('menuitem', { name: 'Pin', hidden: true }));

  expect(calls.onact).toHaveBeenCalledExactlyOnceWith('pin');
  expect(calls.onclose).toHaveBeenCalledOnce();
  expect(document.activeElement).toBe(anchor);
  anchor.remove();
});

test.each(['Escape', 'Tab'])('%s leaves the menu', async (key) => {
  const anchor = document.body.appendChild(document.createElement('button'));
  const onclose = vi.fn();
  const onact = (): void => undefined;
  render(Menu, { props: { conversation: conversation('a'), anchor, onact, onclose } });
  await fireEvent.keyDown(document.activeElement ?? anchor, { key });

  expect(onclose).toHaveBeenCalledOnce();
  expect(document.activeElement).toBe(anchor);
  anchor.remove();
});
