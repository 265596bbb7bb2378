// The engine's banner: what each state says, to whom, and that it promises only what is true.
import { expect, test } from 'vitest';
import type { Notice } from './notices';
import { engineProblem } from './engine';
import { engineNotice } from './notices';
import type { Engine, EngineState, FailedReason } from './protocol';
import { example, turn } from './testing';

const { models } = example('hello');
const seen = (state: EngineState, change: Partial<Engine> = {}, more: object = {}) => ({
  status: 'open' as const,
  engine: {
    kind: 'ollama',
    is_up: false,
    detail: 'engine_unavailable',
    state,
    reason: null,
    ...change,
  },
  models,
  running: null,
  ...more,
});
const whole = (notice: Notice | null): string =>
  notice === null ? '' : `${notice.text} ${notice.remedy}`.trim();
const member = (...given: Parameters<typeof seen>): string =>
  whole(engineNotice(seen(...given), false));
const admin = (...given: Parameters<typeof seen>): string =>
  whole(engineNotice(seen(...given), true));

test('a failed engine: answers are paused, questions are kept, and somebody is to be told', () => {
  const told = member('failed', { reason: 'budget_spent' });

  expect(told).toContain('has broken down. Answers are paused');
  expect(told).toContain('You can go on asking: questions are kept');
  expect(told).toMatch(/tell your administrator\.$/);
  expect(told).not.toContain('couachgptctl');
});

test.each<[FailedReason, string]>([
  ['budget_spent', 'restarted too often'],
  ['cannot_restart', 'no means to restart it'],
  ['crash_loop', 'starts and ends again and again'],
  ['port_taken', 'another program uses its port'],
  ['restart_stuck', 'does not come to an end'],
])('an administrator reads why it failed (%s) and what to do', (reason, words) => {
  const told = admin('failed', { reason });

  expect(told).toContain(words);
  expect(told).toContain('“Forget its failures” on the [Engine page](/admin/engine)');
  expect(told).not.toContain('`');
  expect(told).not.toContain('tell your administrator');
});

test('a failure without a known reason is told all the same', () => {
  expect(admin('failed')).toContain('[Engine page](/admin/engine)');
});

test.each([
  ['stopped', 'has been stopped', 'The [Engine page](/admin/engine) starts it again'],
  ['unreachable', 'cannot be reached', 'systemctl start ollama'],
  ['maintenance', 'under maintenance', 'The [Engine page](/admin/engine) ends it'],
] as const)('an engine that is %s keeps questions', (state, words, remedy) => {
  expect(member(state)).toContain(words);
  expect(member(state)).toContain('questions are kept');
  expect(member(state)).not.toContain(remedy);
  expect(admin(state)).toContain(remedy);
});

test('an engine that a person stopped is not to be told to anybody', () => {
  expect(member('stopped')).not.toContain('tell your administrator');
  expect(member('unreachable')).toContain('tell your administrator');
  expect(admin('stopped', { kind: 'llama-server' })).toContain('Start it again on the server');
});

test('a queue that is held is told with who lets it go on, though the engine is well', () => {
  const well = { is_up: true, detail: null };

  expect(member('held', well)).toMatch(
    /^Answers are paused by an administrator\. .*kept.*later\.$/,
  );
  expect(admin('held', well)).toContain('The [Engine page](/admin/engine) lets them go on.');
});

test('these hold also where its probe still answers', () => {
  for (const state of ['failed', 'stopped', 'maintenance'] as const) {
    expect(member(state, { is_up: true, detail: null })).toContain('questions are kept');
  }
});

test('without any model nothing is promised', () => {
  const none = { models: [] };

  expect(member('failed', {}, none)).not.toContain('kept');
  expect(member('starting', {}, none)).toBe('Waiting for the AI engine…');
  expect(member('starting')).toContain('questions wait until it is ready');
});

test.each([
  'hung_idle',
  'hung_spin',
  'dead',
  'cancelling',
  'unloading',
  'backoff',
  'restarting',
] as const)('an engine that is %s is said to be restarted, where no answer says it', (state) => {
  expect(engineNotice(seen(state), false)).toMatchObject({ isLate: true });
  expect(member(state)).toContain('is being restarted. Your questions are kept.');
  expect(member(state, {}, { running: turn() })).toBe('');
});

test.each(['slow', 'thrashing', 'suspect'] as const)(
  'a probe without an answer is no news of an engine that is %s',
  (state) => {
    expect(member(state)).toBe('');
  },
);

test.each(['engine_missing', 'engine_cpu_unsupported'])('%s says more than any state', (detail) => {
  for (const state of ['failed', 'starting', 'dead'] as const) {
    expect(member(state, { kind: 'embedded', detail })).not.toContain('questions');
  }
});

test('an engine that works is nobody’s trouble', () => {
  for (const state of ['ready', 'busy', 'loading', 'slow', 'starting'] as const) {
    expect(member(state, { is_up: true, detail: null })).toBe('');
  }
});

test('a refusal is not hidden behind a promise to keep questions', () => {
  expect(engineProblem(seen('failed'))).toBeNull();
  expect(engineProblem(seen('failed', {}, { models: [] }))).toBe('engine_unavailable');
  expect(engineProblem(seen('ready'))).toBe('engine_unavailable');
});

test('without a connection nothing is said of the engine', () => {
  expect(member('failed', {}, { status: 'waiting' })).toBe('');
});
