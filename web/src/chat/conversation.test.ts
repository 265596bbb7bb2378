// The reducer: no gap, no repeat, and a piece of text that copies nothing.
import { expect, test } from 'vitest';
import type { ConversationState } from './conversation';
import { apply, EMPTY, newestTurn, whole } from './conversation';
import type { ConversationEvent, Message } from './protocol';
import { answer, example, message, turn } from './testing';

const ID = 'c';
const opened = (messages: readonly Message[], n = 10): ConversationState =>
  apply(EMPTY, { type: 'snapshot', conversation: ID, position: { epoch: 'e', n }, messages });
const text = (n: number, d: string, kind: 'text' | 'thinking' = 'text'): ConversationEvent => ({
  type: 'text',
  conversation: ID,
  n,
  message: 2,
  kind,
  d,
});
const textOf = (state: ConversationState, id: number): string => {
  const found = state.messages.find((each) => each.id === id);
  return found === undefined ? '' : whole(state, found).text;
};
const healing = (n: number, change: object = {}): ConversationEvent => ({
  type: 'turn',
  conversation: ID,
  n,
  message: 2,
  turn: turn({ attempt: 2, is_healing: true, ...change }),
});
const rewrite = (n: number, change: object = {}): ConversationEvent => ({
  type: 'rewrite',
  conversation: ID,
  n,
  message: 2,
  text: '',
  thinking: '',
  ...change,
});
const PAIR = [message(1), answer(2, 1, { text: 'Bon' })];

test('a snapshot replaces what was known', () => {
  const state = apply(opened(PAIR), example('snapshot'));

  expect(state.position).toEqual({ epoch: 'k3Jt9w', n: 118 });
  expect(state.messages.map(({ id }) => id)).toEqual([41, 42]);
});

test('the examples follow one another', () => {
  let state = apply(EMPTY, example('snapshot'));
  for (const type of ['messages', 'turn', 'text'] as const) state = apply(state, example(type));

  expect(state.position?.n).toBe(121);
  expect(textOf(state, 44)).toBe('Le moule ');
  state = apply(state, example('rewrite'));
  expect(state.position?.n).toBe(122);
  expect(textOf(state, 44)).toBe('');
  expect(newestTurn(state.messages)?.state).toBe('reading');
  expect(state.messages.map(({ id }) => id)).toEqual([41, 42, 43, 44]);
});

test('text is appended to what the snapshot had', () => {
  const state = [text(11, 'jo'), text(12, 'ur')].reduce(apply, opened(PAIR));

  expect(textOf(state, 2)).toBe('Bonjour');
});

test('thinking grows apart from the text', () => {
  const state = [text(11, 'Hm', 'thinking'), text(12, 'jour')].reduce(apply, opened(PAIR));

  expect(state.growing).toEqual({ message: 2, text: 'Bonjour', thinking: 'Hm' });
});

test('a piece of text leaves the list of messages alone', () => {
  const before = opened(PAIR);
  const state = [text(11, 'jo'), text(12, 'ur')].reduce(apply, before);

  expect(state.messages).toBe(before.messages);
});

test('what was seen is dropped: the very same state', () => {
  const state = apply(opened(PAIR), text(11, 'jo'));

  expect(apply(state, text(11, 'jo'))).toBe(state);
  expect(apply(state, text(3, 'old'))).toBe(state);
});

test('a gap says: watch again, and nothing is applied until the missing event comes', () => {
  const gap = apply(opened(PAIR), text(12, 'ur'));

  expect(gap.isBehind).toBe(true);
  expect(gap.position?.n).toBe(10);
  expect(apply(gap, text(13, '!'))).toBe(gap);
  const caughtUp = [text(11, 'jo'), text(12, 'ur')].reduce(apply, gap);
  expect(caughtUp.isBehind).toBe(false);
  expect(textOf(caughtUp, 2)).toBe('Bonjour');
});

test('an event before the first snapshot says: watch', () => {
  expect(apply(EMPTY, text(1, 'x'))).toMatchObject({ isBehind: true, position: null });
});

test('the end of a turn puts the text into the list', () => {
  const done = turn({ state: 'done' });
  const state = [
    text(11, 'jour'),
    { type: 'turn', conversation: ID, n: 12, message: 2, turn: done } as const,
  ].reduce(apply, opened(PAIR));

  expect(state.growing).toBeNull();
  expect(state.messages[1]).toMatchObject({ text: 'Bonjour', turn: done });
  expect(newestTurn(state.messages)).toBe(done);
});

test('an answer that is continued keeps its text and goes on', () => {
  const cut = [message(1), answer(2, 1, { text: 'Bon', turn: turn({ state: 'stopped' }) })];
  const again = turn({ id: 2, state: 'writing', attempt: 2 });
  const state = [
    { type: 'turn', conversation: ID, n: 11, message: 2, turn: again } as const,
    text(12, 'jour'),
  ].reduce(apply, opened(cut));

  expect(textOf(state, 2)).toBe('Bonjour');
});

test('new messages come once', () => {
  const event: ConversationEvent = {
    type: 'messages',
    conversation: ID,
    n: 11,
    messages: [PAIR[1] as Message, message(3, { parent: 2 })],
  };

  expect(apply(opened(PAIR), event).messages.map(({ id }) => id)).toEqual([1, 2, 3]);
});

test('text of an unknown message moves the position only', () => {
  const state = apply(opened([]), text(11, 'x'));

  expect(state.growing).toBeNull();
  expect(state.position?.n).toBe(11);
});

test('a new attempt replaces text and thinking, and its pieces go on after what it began with', () => {
  const events = [
    text(11, 'jo'),
    text(12, 'Hm', 'thinking'),
    rewrite(13, { text: 'Bon ', thinking: 'Ah' }),
    text(14, 'soir'),
  ];
  const state = events.reduce(apply, opened(PAIR));

  expect(state.growing).toEqual({ message: 2, text: 'Bon soir', thinking: 'Ah' });
});

test('what was written stays, marked, until the new attempt writes', () => {
  const cut = [text(11, 'jour'), healing(12)].reduce(apply, opened(PAIR));
  expect([cut.stale, textOf(cut, 2)]).toEqual([2, 'Bonjour']);

  const reading = apply(cut, healing(13, { state: 'reading', is_healing: false }));
  expect([reading.stale, textOf(reading, 2)]).toEqual([2, 'Bonjour']);

  const anew = [rewrite(14), text(15, 'Re')].reduce(apply, reading);
  expect([anew.stale, textOf(anew, 2)]).toEqual([null, 'Re']);
});

test('a new attempt that never writes leaves what was written, as its end', () => {
  const events = [
    text(11, 'jour'),
    healing(12),
    healing(13, { state: 'failed', is_healing: false }),
  ];
  const state = events.reduce(apply, opened(PAIR));

  expect([state.stale, state.growing, textOf(state, 2)]).toEqual([null, null, 'Bonjour']);
});

test('a page that comes while the engine is being restarted sees what is stale', () => {
  const waits = turn({ is_healing: true });
  const state = opened([message(1), answer(2, 1, { text: 'Bon', turn: waits })]);

  expect(state.stale).toBe(2);
  expect(textOf(apply(state, rewrite(11)), 2)).toBe('');
});

test('a rewriting of an unknown message moves the position only', () => {
  const state = apply(opened([]), rewrite(11));

  expect(state.growing).toBeNull();
  expect(state.position?.n).toBe(11);
});

test('a rewriting that was seen is dropped', () => {
  const state = [text(11, 'jour'), rewrite(12), text(13, 'Re')].reduce(apply, opened(PAIR));

  expect(apply(state, rewrite(12))).toBe(state);
  expect(textOf(state, 2)).toBe('Re');
});
