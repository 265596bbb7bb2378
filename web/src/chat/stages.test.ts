// What people read while they wait, and the figures at the end, in their language.
import { afterEach, expect, test } from 'vitest';
import french from '../generated/texts.fr.json';
import { useTexts } from '../i18n';
import type { EngineState } from './protocol';
import { duration, endAnnouncement, endLabel, expectedWait, stageOf, summary } from './stages';
import { example, turn } from './testing';

afterEach(() => useTexts('en', {}));

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
  expect(stageOf(given, 'busy', 'en')).toMatchObject({ label, note: '' });
});

test.each([
  [0, 20, 'less than 20 s', 'moins de 20 s'],
  [20, 60, 'between 20 s and 1 min', 'entre 20 s et 1 min'],
  [60, 90, 'between 1 min and 1 min 30', 'entre 1 min et 1 min 30'],
  [300, 300, 'about 5 min', 'environ 5 min'],
  [1800, 3600, 'between 30 min and 1 h', 'entre 30 min et 1 h'],
  [3600, 7200, 'between 1 h and 2 h', 'entre 1 h et 2 h'],
  [0, 5400, 'less than 1 h 30', 'moins de 1 h 30'],
])('a wait of %d to %d s is said as people say it', (low, high, en, fr) => {
  const plain = (text: string): string => text.replace(/\s/g, ' ');
  expect(plain(expectedWait([low, high], 'en'))).toBe(en);
  useTexts('fr', french);
  expect(plain(expectedWait([low, high], 'fr'))).toBe(fr);
});

test('who waits sees the place and for how long, and no clock beside it', () => {
  const waits = turn({ place: 2, wait_seconds: [20, 60] });
  expect(stageOf(waits, 'busy', 'en')).toMatchObject({
    label: 'Waiting: 2 answers before yours',
    note: 'between 20\u00a0s and 1\u00a0min',
    isTimed: false,
  });
  expect(stageOf(turn({ place: 2 }), 'busy', 'en')).toMatchObject({ note: '', isTimed: true });
});

test.each([
  turn({ is_healing: true, place: null }),
  turn({ is_healing: true, place: 0, wait_seconds: [0, 20] }),
])('a question that is tried again says that the engine is being restarted (%#)', (given) => {
  for (const engine of ['busy', 'restarting', 'starting', 'ready', null] as const) {
    expect(stageOf(given, engine, 'en').label).toBe(
      'The engine no longer answers, I am restarting it — your question is kept.',
    );
  }
});

test('in French, in these words', () => {
  useTexts('fr', french);
  expect(stageOf(turn({ is_healing: true }), 'restarting', 'fr').label).toBe(
    'Le moteur ne répond plus, je le relance — votre question est gardée.',
  );
});

test('behind others, on an engine that works again, it is a wait like any other', () => {
  const given = turn({ is_healing: true, place: 2, wait_seconds: [20, 60] });
  expect(stageOf(given, 'busy', 'en').label).toBe('Waiting: 2 answers before yours');
});

const HEALING: readonly EngineState[] = [
  'hung_idle',
  'hung_spin',
  'dead',
  'cancelling',
  'unloading',
  'backoff',
  'restarting',
];

test.each(HEALING)('while the engine is %s every turn says so, and its clock goes on', (engine) => {
  for (const state of ['queued', 'loading', 'reading', 'thinking', 'writing'] as const) {
    expect(stageOf(turn({ state }), engine, 'en')).toMatchObject({
      label: expect.stringContaining('I am restarting it — your question is kept') as string,
      key: 'healing',
      isTimed: true,
    });
  }
  expect(stageOf(turn({ state: 'done' }), engine, 'en').label).toBe('');
});

test('an engine that is only suspected is not said to be restarted', () => {
  const { label } = stageOf(turn({ state: 'writing' }), 'suspect', 'en');
  expect(label).toContain('does not answer at the moment — your question is kept');
});

test.each([
  ['slow', 'the engine is slow, it is still working'],
  ['thrashing', 'the server is short of memory: the engine is slow, it is still working'],
] as const)('a %s engine is told beside the stage', (engine, note) => {
  const reading = turn({ state: 'reading', read_tokens: 42, prompt_tokens: 100 });
  const label = 'Reading your question: 42%';
  expect(stageOf(reading, engine, 'en')).toMatchObject({ label, note, key: 'reading' });
  expect(stageOf(turn({ state: 'done' }), engine, 'en')).toMatchObject({ label: '', note: '' });
});

test.each(['failed', 'stopped', 'unreachable', 'maintenance'] as const)(
  'where the engine is %s, who waits reads that the question is kept',
  (engine) => {
    for (const is_healing of [true, false]) {
      expect(stageOf(turn({ place: 0, is_healing }), engine, 'en')).toMatchObject({
        label: 'Waiting: yours is next',
        note: 'your question is kept, it goes on by itself',
      });
    }
  },
);

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
