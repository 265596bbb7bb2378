// What people read while they wait, and the figures at the end, in their language.
import { expect, test } from 'vitest';
import { duration, endAnnouncement, endLabel, stageLabel, summary } from './stages';
import { example, turn } from './testing';

const done = example('snapshot').messages[1]?.turn ?? turn();

test.each([
  [turn({ place: 0 }), 'Waiting: yours is next'],
  [turn({ place: 1 }), 'Waiting: 1 answer before yours'],
  [turn({ place: 3 }), 'Waiting: 3 answers before yours'],
  [turn({ place: null }), 'Waiting…'],
  [turn({ state: 'loading' }), 'Loading the model small…'],
  [turn({ state: 'reading' }), 'Reading your question…'],
  [turn({ state: 'reading', read_tokens: 420, prompt_tokens: 1000 }), 'Reading your question: 42%'],
  [turn({ state: 'reading', read_tokens: 12, prompt_tokens: 10 }), 'Reading your question: 100%'],
  [turn({ state: 'thinking' }), 'Thinking…'],
  [turn({ state: 'writing' }), 'Writing…'],
  [turn({ state: 'done' }), ''],
])('a turn says where it is (%#)', (given, label) => {
  expect(stageLabel(given, 'en')).toBe(label);
});

test('the end says how much, how fast and how long', () => {
  expect(summary(done, 'en')).toBe('412 tokens · 11.2 tokens/s · 40 s');
});

test('numbers are written as the language writes them', () => {
  expect(summary(done, 'fr')).toMatch(/^412 tokens · 11,2 tokens\/s · 40\ss$/);
});

test('what is not known is left out', () => {
  expect(summary(turn(), 'en')).toBe('');
  const timings = { ...done.timings, answer_tokens: 1, tokens_per_second: null } as never;
  expect(summary(turn({ timings }), 'en')).toBe('1 token · 40 s');
});

test.each([
  [4.24, '4.2 s'],
  [59.4, '59 s'],
  [59.6, '1 min'],
  [125, '2 min 5 s'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds, 'en')).toBe(text);
});

test('only an end that is not plain is worth a word', () => {
  expect(endLabel(turn({ state: 'done', finish_reason: 'stop' }), 'Bon')).toBe('');
  expect(endLabel(turn({ state: 'done', finish_reason: 'length' }), 'Bon')).toContain('Continue');
});

test('what was written is kept, where something was', () => {
  expect(endLabel(turn({ state: 'stopped' }), 'Bon')).toContain('kept');
  expect(endLabel(turn({ state: 'stopped' }), '')).toBe('Stopped.');
});

test.each([
  ['done', 'complete'],
  ['stopped', 'stopped'],
  ['failed', 'cut'],
  ['interrupted', 'cut'],
] as const)('an answer that is %s is announced so', (state, word) => {
  expect(endAnnouncement(turn({ state }))).toContain(word);
});
