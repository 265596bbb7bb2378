// In which zone dates are written and days are counted, also where the clock is changed.
import { afterEach, expect, test } from 'vitest';
import { byDay, daysIn, momentText } from './days';
import type { Conversation } from './protocol';
import { example } from './testing';
import { currentZone, isZone, useZone } from './zone.svelte';

afterEach(() => useZone(''));

const conversation = (id: string, updated_at: string): Conversation => ({
  ...example('conversation').conversation,
  id,
  updated_at,
});
const hour = (moment: string): string | undefined => /\d+:\d\d/.exec(momentText(moment, 'fr'))?.[0];

test.each([
  // The night of the change in Paris, 2026: at 2:00 it is 3:00, at 3:00 it is 2:00.
  ['Europe/Paris', '2026-03-29T00:59:00.000Z', '01:59'],
  ['Europe/Paris', '2026-03-29T01:00:00.000Z', '03:00'],
  ['Europe/Paris', '2026-10-25T00:59:00.000Z', '02:59'],
  ['Europe/Paris', '2026-10-25T01:00:00.000Z', '02:00'],
  // Another day there, and no change at all; half an hour; a change of half an hour.
  ['America/New_York', '2026-03-08T06:59:00.000Z', '01:59'],
  ['America/New_York', '2026-03-08T07:00:00.000Z', '03:00'],
  ['Indian/Reunion', '2026-03-29T01:00:00.000Z', '05:00'],
  ['Asia/Kolkata', '2026-10-25T01:00:00.000Z', '06:30'],
  ['Australia/Lord_Howe', '2026-04-04T14:59:00.000Z', '01:59'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00.000Z', '01:30'],
])('in %s, %s is %s', (zone, moment, expected) => {
  useZone(zone);
  expect(hour(moment)).toBe(expected);
});

test('what was said just before midnight there is of yesterday, also in the night of a change', () => {
  useZone('Europe/Paris');
  const late = conversation('late', '2026-03-28T22:59:00.000Z'); // 23:59 there
  const early = conversation('early', '2026-03-28T23:01:00.000Z'); // 0:01 there
  const groups = byDay([late, early], new Date('2026-03-29T21:59:00.000Z'), 'en'); // 23:59 there

  expect(groups.map(({ label, conversations }) => [label, conversations[0]?.id])).toEqual([
    ['Today', 'early'],
    ['Yesterday', 'late'],
  ]);
  useZone('Pacific/Kiritimati'); // where all three are one day
  expect(byDay([late, early], new Date('2026-03-29T09:59:00.000Z'), 'en')).toHaveLength(1);
});

test.each(['', 'Mars/Olympus', '../etc', 'Europe/Paris<b>'])(
  'the zone %j is the browser’s own',
  (name) => {
    useZone('Asia/Tokyo');
    useZone(name);
    expect(currentZone()).toBeUndefined();
    expect(daysIn()(new Date(0))).toBe(daysIn(undefined)(new Date(0)));
    expect(isZone(name)).toBe(false);
  },
);
