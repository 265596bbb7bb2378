// The page's knowledge: questions are never lost nor doubled, and a return misses nothing.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { View } from './view';
import { ChatClient } from './client';
import type { Growing } from './conversation';
import { answer, example, FakeSocket, message, turn } from './testing';

let sockets: FakeSocket[];
let client: ChatClient;
let addresses: (string | null)[];
let view: View;

const last = (): FakeSocket => sockets[sockets.length - 1] as FakeSocket;
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const hello = (change: object = {}): void => last().says({ ...example('hello'), ...change });
const snapshot = (conversation: string, messages: object[], n = 5): void =>
  last().says({ type: 'snapshot', conversation, position: { epoch: 'e', n }, messages });
const asked = { conversation: 'new', question: 1, answer: 2 };

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  addresses = [];
  client = new ChatClient({
    open: () => {
      sockets.push(new FakeSocket());
      return last();
    },
    onaddress: (id) => addresses.push(id),
    onview: (next) => (view = next),
    onend: () => undefined,
  });
  client.connect();
});

afterEach(() => {
  client.close();
  vi.useRealTimers();
});

test('a first question gets an address, and its conversation follows by itself', async () => {
  hello();
  const done = client.ask('Bonjour', null);
  expect(view.pending).toMatchObject({ text: 'Bonjour', conversation: null });
  last().accepts('chat.ask', asked);
  await done;
  expect(addresses).toEqual(['new']);

  const client_id = last().request('chat.ask')?.client_id as string;
  const pair = [message(1, { client_id, text: 'Bonjour' }), answer(2, 1)];
  snapshot('new', [], 0);
  last().says({ type: 'messages', conversation: 'new', n: 1, messages: pair });
  expect(view.pending).toBeNull();
  expect(view.branch.map(({ id }) => id)).toEqual([1, 2]);
  expect(view.running).not.toBeNull();
  expect(last().request('conversation.watch')).toBeUndefined();
});

test('a message that was searched for is shown, whatever branch it is on, and asked below', async () => {
  hello();
  client.open('c', 2);
  snapshot('c', [message(1), answer(2, 1, { turn: null }), answer(3, 1, { turn: null })]);
  expect(view.branch.map(({ id }) => id)).toEqual([1, 2]);
  const { landing } = view;
  expect(landing).toEqual({ message: 2 });

  client.open('c', 2);
  expect(view.landing).not.toBe(landing); // wanted again
  client.open('c', 3);
  expect(view.branch.map(({ id }) => id)).toEqual([1, 3]);
  client.open('c', 2);
  void client.ask('Encore', null);
  expect(last().request('chat.ask')).toMatchObject({ parent: 2, edits: null });
  client.open(null);
  expect(view.landing).toBeNull();
  await settle();
});

test('a question cut off by a loss is sent again as the same one', async () => {
  hello();
  const done = client.ask('Bonjour', null);
  const first = last().request('chat.ask')?.client_id;
  last().drops();
  await settle();
  expect(view.pending).not.toBeNull();
  await vi.advanceTimersByTimeAsync(10_000);
  hello();
  await settle();

  expect(sockets).toHaveLength(2);
  expect(last().request('chat.ask')?.client_id).toBe(first);
  last().accepts('chat.ask', asked);
  await done;
  expect(addresses).toEqual(['new']);
  expect(last().request('conversation.watch')).toMatchObject({ conversation: 'new' });
});

test('a refused question is given back with the reason', async () => {
  hello();
  const done = client.ask('Bonjour', null);
  last().refuses('chat.ask', 'queue_full', { waiting: 9 });

  await expect(done).rejects.toThrow('queue_full');
  expect(view.pending).toBeNull();
  expect(view.problem).toEqual({ code: 'queue_full', fields: { waiting: 9 } });
});

test('after a loss the open conversation is watched from the position seen', async () => {
  hello();
  client.open('c');
  last().accepts('conversation.watch');
  snapshot('c', [message(1), answer(2, 1)]);
  last().says({ type: 'text', conversation: 'c', n: 6, message: 2, kind: 'text', d: 'a' });
  last().drops();
  await vi.advanceTimersByTimeAsync(10_000);
  hello();

  expect(last().request('conversation.watch')).toMatchObject({ position: { epoch: 'e', n: 6 } });
});

test('a gap is watched again, once', async () => {
  hello();
  client.open('c');
  last().accepts('conversation.watch');
  await settle();
  snapshot('c', [message(1), answer(2, 1)]);
  const before = last().sent.length;
  for (const n of [8, 9]) {
    last().says({ type: 'text', conversation: 'c', n, message: 2, kind: 'text', d: 'a' });
  }

  expect(last().sent.length).toBe(before + 1);
  expect(last().request('conversation.watch')).toMatchObject({ position: { n: 5 } });
});

test('growing text goes to its follower and not through the view', () => {
  hello();
  client.open('c');
  snapshot('c', [message(1), answer(2, 1, { text: 'Bon' })]);
  const heard: Growing[] = [];
  const unfollow = client.follow(2, (growing) => heard.push(growing));
  const before = view;
  last().says({ type: 'text', conversation: 'c', n: 6, message: 2, kind: 'text', d: 'jour' });
  unfollow();
  last().says({ type: 'text', conversation: 'c', n: 7, message: 2, kind: 'text', d: '!' });

  expect(heard.map(({ text }) => text)).toEqual(['Bonjour']);
  expect(view).toBe(before);
  client.follow(2, (growing) => heard.push(growing));
  expect(heard.at(-1)?.text).toBe('Bonjour!');
});

test('what a failed attempt left is marked until the next one writes in its place', () => {
  hello();
  client.open('c');
  snapshot('c', [message(1), answer(2, 1, { text: 'Bon' })]);
  const heard: Growing[] = [];
  client.follow(2, (growing) => heard.push(growing));
  const says = (n: number, change: object): void =>
    last().says({ conversation: 'c', n, message: 2, ...change });

  says(6, { type: 'turn', turn: turn({ is_healing: true, attempt: 2 }) });
  expect(view.stale).toBe(2);
  says(7, { type: 'rewrite', text: '', thinking: '' });
  expect(view.stale).toBeNull();
  says(8, { type: 'text', kind: 'text', d: 'Re' });
  expect(heard.map(({ text }) => text)).toEqual(['', 'Re']);
  client.open(null);
  expect(view.stale).toBeNull();
});

test('an unknown conversation is missing, not an error', async () => {
  hello();
  client.open('nope');
  last().refuses('conversation.watch', 'not_found');
  await settle();

  expect(view).toMatchObject({ isMissing: true, isOpening: false, problem: null });
  client.open(null);
  expect(view.isMissing).toBe(false);
});

test('a conversation left is no longer watched, and its late events stay out of sight', () => {
  hello();
  client.open('a');
  snapshot('a', [message(1)]);
  client.open('b');
  expect(last().request('conversation.unwatch')).toMatchObject({ conversation: 'a' });
  snapshot('b', [message(7)]);
  last().says({ type: 'messages', conversation: 'a', n: 6, messages: [answer(2, 1)] });

  expect(view.branch.map(({ id }) => id)).toEqual([7]);
  client.open('a');
  expect(view.branch.map(({ id }) => id)).toEqual([1, 2]);
});

test('stop names the running turn', () => {
  hello();
  client.open('c');
  snapshot('c', [message(1), answer(2, 1, { turn: turn({ id: 31, state: 'writing' }) })]);
  void client.stop();

  expect(last().request('chat.stop')).toMatchObject({ turn: 31 });
});

test('a changed conversation moves to the top of the list', () => {
  hello();
  const { conversation } = example('conversation');
  last().says({ type: 'conversation', conversation: { ...conversation, id: 'x' } });
  last().says({ type: 'conversation', conversation: { ...conversation, title: 'Nouveau' } });

  expect(view.conversations.map(({ title }) => title)).toEqual(['Nouveau', conversation.title]);
});

test('what was deleted on the server leaves the list', () => {
  hello();
  const { conversation } = example('conversation');
  last().says({ type: 'conversation', conversation: { ...conversation, id: 'x' } });
  last().says(example('conversations'));

  expect(view.conversations).toEqual([conversation]);
});

test('the open conversation is missing once it was deleted on the server', async () => {
  hello();
  client.open('x');
  last().accepts('conversation.watch');
  await settle();
  last().says(example('conversations'));
  last().refuses('conversation.watch', 'not_found');
  await settle();

  expect(view).toMatchObject({ isMissing: true, problem: null });
});

test('the engine that comes back, with its models, is shown at once', () => {
  hello({ engine: { kind: 'ollama', is_up: false, detail: 'engine_unavailable' }, models: [] });
  expect(view.engine?.is_up).toBe(false);
  last().says(example('engine'));

  expect(view.engine).toMatchObject({ is_up: true, detail: null });
  expect(view.models).toHaveLength(1);
});

test('what the banner tells is not told twice, nor later when it is over', async () => {
  hello({ engine: { kind: 'ollama', is_up: false, detail: 'engine_unavailable' } });
  const told = client.ask('Bonjour', null);
  last().refuses('chat.ask', 'engine_unavailable');
  await expect(told).rejects.toThrow();
  expect(view.problem).toBeNull();
  last().says(example('engine'));
  expect(view.problem).toBeNull();

  const other = client.ask('Bonjour', null);
  last().refuses('chat.ask', 'queue_full', { waiting: 9 });
  await expect(other).rejects.toThrow();
  expect(view.problem?.code).toBe('queue_full');
});

test('the models are asked for again on demand', async () => {
  hello({ models: [], default_model: null });
  void client.refreshModels();
  last().accepts('model.list', { models: example('hello').models, default: 'small' });
  await settle();

  expect(view).toMatchObject({ defaultModel: 'small', models: [{}] });
});

test('a restart is announced until the server is back', async () => {
  hello();
  last().says(example('closing'));
  expect(view.isRestarting).toBe(true);
  last().drops(1012);
  await vi.advanceTimersByTimeAsync(1000);
  hello();

  expect(view.isRestarting).toBe(false);
});

test('a text that no model could hold is refused here, and nothing is sent', async () => {
  hello();
  await expect(client.ask('a'.repeat(500_001), null)).rejects.toThrow();
  expect(view.problem?.code).toBe('message_too_long');
  expect(view.pending).toBeNull();
  expect(last().request('chat.ask')).toBeUndefined();
});

test('who leaves and comes back before the server has answered still watches', async () => {
  hello();
  client.open('a');
  client.open('b');
  client.open('a');
  const sent = last().sent.map(
    ({ type, conversation }) => `${type as string} ${conversation as string}`,
  );
  expect(sent.filter((each) => each.endsWith(' a'))).toEqual([
    'conversation.watch a',
    'conversation.unwatch a',
    'conversation.watch a',
  ]);
  const [first] = last().sent.filter(({ type }) => type === 'conversation.watch');
  last().says({ type: 'ok', id: first?.id });
  await settle();
  const watches = last().sent.filter(({ type }) => type === 'conversation.watch').length;
  client.open('a');
  expect(last().sent.filter(({ type }) => type === 'conversation.watch')).toHaveLength(watches);
});

test('the open conversation is told to have gone to the bin, and to be back', () => {
  hello();
  client.open('c');
  const conversation = { ...example('conversation').conversation, id: 'c' };
  last().says({ type: 'conversation', conversation });
  const deleted_at = '2026-11-23T09:00:00.000Z';
  last().says({ type: 'conversation', conversation: { ...conversation, deleted_at } });

  expect(view.opened?.deleted_at).toBe(deleted_at);
  expect(view.conversations.map(({ id }) => id)).not.toContain('c');
  last().says({ type: 'conversation', conversation });
  expect(view.opened?.deleted_at).toBeNull();
  expect(view.conversations.map(({ id }) => id)).toContain('c');
  client.open(null);
  expect(view.opened).toBeNull();
});

test('what is on no list is known once it is watched', async () => {
  hello();
  client.open('archived');
  const conversation = { ...example('conversation').conversation, id: 'archived' };
  last().accepts('conversation.watch', { conversation });
  await settle();

  expect(view.opened?.id).toBe('archived');
});

test('an edited question stands beside the one before, and is shown where it was written', async () => {
  hello();
  client.open('c');
  snapshot('c', [message(1), answer(2, 1, { turn: null }), message(3, { parent: 2 })]);
  const done = client.ask('Autrement', null, 'id', 1);
  expect(last().request('chat.ask')).toMatchObject({ parent: null, edits: 1 });
  last().accepts('chat.ask', { conversation: 'c', question: 4, answer: 5 });
  await done;
  last().says({
    type: 'messages',
    conversation: 'c',
    n: 6,
    messages: [message(4), answer(5, 4)],
  });

  expect(view.branch.map(({ id }) => id)).toEqual([4, 5]);
  expect(view.versions.get(4)).toEqual([1, 4]);
  client.choose(1);
  expect(view.branch.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(view.running?.id).toBe(1); // on the other branch
});

test('an answer made again is shown by the page that asked for it, and by no other', async () => {
  hello();
  client.open('c');
  snapshot('c', [message(1), answer(2, 1, { turn: turn({ state: 'done' }) })]);
  const again = (id: number, n: number): void =>
    last().says({ type: 'messages', conversation: 'c', n, messages: [answer(id, 1)] });
  void client.regenerate(2, null);
  again(3, 6);
  expect(view.branch.map(({ id }) => id)).toEqual([1, 3]);
  last().accepts('chat.regenerate', { answer: 3 });
  await settle();

  again(4, 7);
  expect(view.branch.map(({ id }) => id)).toEqual([1, 3]);
  expect(view.versions.get(3)).toEqual([2, 3, 4]);
});
