// The connection: answers find their requests, and a loss is followed by a return.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { End, Status } from './socket';
import { Connection, pauseSeconds, RequestError } from './socket';
import { example, FakeSocket } from './testing';

let sockets: FakeSocket[];
let statuses: Status[];
let ends: End[];
let received: string[];
let connection: Connection;

const last = (): FakeSocket => sockets[sockets.length - 1] as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  statuses = [];
  ends = [];
  received = [];
  connection = new Connection({
    open: () => {
      sockets.push(new FakeSocket());
      return last();
    },
    onmessage: ({ type }) => received.push(type),
    onstatus: (status) => statuses.push(status),
    onend: (end) => ends.push(end),
    random: () => 1,
  });
  connection.connect();
});

afterEach(() => {
  vi.useRealTimers();
});

test('it is open once the server has said hello', () => {
  expect(connection.status).toBe('connecting');
  last().says(example('hello'));

  expect(connection.status).toBe('open');
  expect(received).toEqual(['hello']);
});

test('each answer finds its request', async () => {
  last().says(example('hello'));
  const models = connection.request('model.list', {});
  const stop = connection.request('chat.stop', { turn: 1 });
  last().accepts('chat.stop');
  last().accepts('model.list', { models: [], default: 'small' });

  await expect(stop).resolves.toBeDefined();
  await expect(models).resolves.toMatchObject({ default: 'small' });
});

test('a refusal is an error with its code and fields', async () => {
  last().says(example('hello'));
  const stop = connection.request('chat.stop', { turn: 1 });
  last().refuses('chat.stop', 'not_found', { a: 1 });

  await expect(stop).rejects.toEqual(new RequestError('not_found', { a: 1 }));
});

test('before hello, and after a loss, a request fails at once', async () => {
  await expect(connection.request('model.list', {})).rejects.toThrow('connection_lost');
  last().says(example('hello'));
  const asked = connection.request('model.list', {});
  last().drops();

  await expect(asked).rejects.toThrow('connection_lost');
});

test('it comes back by itself, later each time, and starts afresh after a hello', () => {
  for (const seconds of [0.4, 0.8, 1.6]) {
    last().drops();
    vi.advanceTimersByTime(seconds * 1000 - 1);
    const before = sockets.length;
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(before + 1);
  }
  last().says(example('hello'));
  last().drops();
  vi.advanceTimersByTime(400);

  expect(sockets).toHaveLength(5);
});

test('after a restart, which cuts everybody at once, they come back within two seconds', () => {
  last().says(example('hello'));
  last().drops(1012);
  vi.advanceTimersByTime(1999);
  expect(sockets).toHaveLength(1);
  vi.advanceTimersByTime(1);

  expect(sockets).toHaveLength(2);
  expect(pauseSeconds(0, () => 0, true)).toBe(0.2);
});

test('the pauses lie between 0.2 and 10 seconds', () => {
  expect(pauseSeconds(0, () => 0)).toBe(0.2);
  expect(pauseSeconds(50, () => 0)).toBe(0.2);
  expect(pauseSeconds(50, () => 1)).toBe(10);
});

test('a wish to connect cuts the pause short, and never makes a second socket', () => {
  last().drops();
  connection.connect();
  connection.connect();
  vi.advanceTimersByTime(60_000);

  expect(sockets).toHaveLength(2);
});

test.each([
  [4401, 'signed_out'],
  [4403, 'foreign_origin'],
])('close code %i is for good', (code, end) => {
  last().drops(code);
  vi.advanceTimersByTime(60_000);
  connection.connect();

  expect(ends).toEqual([end]);
  expect(connection.status).toBe('ended');
  expect(sockets).toHaveLength(1);
});

test('a server that no longer answers is left for a new connection', async () => {
  last().says(example('hello'));
  const asked = connection.request('model.list', {});
  asked.catch(() => undefined);
  vi.advanceTimersByTime(30_000);

  await expect(asked).rejects.toThrow('connection_lost');
  expect(sockets[0]?.isClosed).toBe(true);
  expect(connection.status).toBe('waiting');
});

test('nonsense and answers to nobody are ignored', () => {
  last().says({ type: 'ok', id: 99 });
  last().says({ type: 'error', id: null, code: 'bad_request', fields: {} });
  last().says({ type: 'later' });

  expect(received).toEqual([]);
});

test.each([1000, 4401])('closed by the page it stays closed, whatever follows (%i)', (code) => {
  connection.close();
  last().drops(code);
  vi.advanceTimersByTime(60_000);

  expect(sockets).toHaveLength(1);
  expect(ends).toEqual([]);
});
