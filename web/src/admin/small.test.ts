// Figures, names and states: what the admin page makes of them.
import { expect, test } from 'vitest';
import { useTexts } from '../i18n';
import { CHARTS, summary } from './charts';
import { failureText } from './errors';
import { ago, bytes, duration } from './format';
import { matching } from './people';
import { problemText } from './problems';
import type { Person } from './shapes';
import { LANES, stateMeaning, stateName, toneOf } from './states';

useTexts('en', {});

test.each([
  [null, '–'],
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1 kB'],
  [1_536_000, '1.5 MB'],
  [25_300_000_000, '25.3 GB'],
  [2e12, '2 TB'],
])('%d bytes are said as %s', (value, said) => {
  expect(bytes(value)).toBe(said);
});

test.each([
  [-1, '0 s'],
  [59.4, '59 s'],
  [60, '1 min'],
  [3600, '1 h'],
  [5400, '1 h 30 min'],
  [172_800, '2 days'],
])('%d seconds are said as %s', (value, said) => {
  expect(duration(value)).toBe(said);
});

test('a moment of a clock that goes ahead of ours is now', () => {
  expect(ago('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('0 s');
});

const person = (login: string, name: string): Person => ({
  id: 1,
  login,
  name,
  role: 'member',
  state: 'active',
  language: 'fr',
  created_at: '',
});

test.each([
  ['', ['lea', 'marc']],
  ['LÉA', ['lea']],
  ['martin lea', ['lea']],
  ['marc', ['marc']],
  ['nobody', []],
])('searching %j finds %j', (search, found) => {
  const people = [person('lea', 'Léa Martin'), person('marc', 'Marc')];

  expect(matching(people, search).map(({ login }) => login)).toEqual(found);
});

test('every state stands in one lane, and says what it means', () => {
  const states = LANES.flatMap((lane) => lane.states);

  expect(new Set(states).size).toBe(states.length);
  expect(states).toHaveLength(18);
  for (const state of states) expect(stateMeaning(state, null)).not.toBe('');
});

test('a failed engine says why', () => {
  expect(stateMeaning('failed', 'crash_loop')).toContain('ends again');
});

test('a state that a newer server names is shown by its name, as a doubt', () => {
  expect([stateName('dreaming' as never), toneOf('dreaming' as never)]).toEqual([
    'dreaming',
    'doubt',
  ]);
});

test('an unknown problem is shown by its name', () => {
  expect(problemText('toString')).toBe('toString');
  expect(problemText('disk_low')).toBe('The disk is nearly full.');
});

test('a series without a figure has no summary, and gaps are passed over', () => {
  expect(summary([null, null])).toBeNull();
  expect(summary([3, null, 1, null])).toEqual({ last: 1, most: 3 });
});

test('no figure is drawn twice', () => {
  const names = CHARTS.flatMap(({ lines }) => lines.map(([name]) => name));

  expect(new Set(names).size).toBe(names.length);
});

test('what the chat says of a conversation is said otherwise here', () => {
  expect(failureText({ code: 'not_found', fields: {} })).not.toContain('conversation');
  expect(failureText({ code: 'store_full', fields: {} })).toContain('disk is full');
});
