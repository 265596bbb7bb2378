// Questions that wait: sent in order, once, and only after an answer that ended well.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Ahead } from './ahead';
import { aheadName, hasRoom, readAhead, standing, stillAhead, writeAhead } from './ahead';
import AheadList from './Ahead.svelte';
import { RequestError } from './socket';
import { answer, message, turn, viewWith } from './testing';
import type { View } from './view';

const name = aheadName(7, 'c');
const waiting = (client_id: string, hold: Ahead['hold'] = null): Ahead => ({
  asked: { client_id, text: `text of ${client_id}`, model: null, choices: null },
  hold,
});
const ended = (state: 'done' | 'failed' | 'stopped' | 'interrupted' = 'done'): View =>
  viewWith({ current: 'c', branch: [message(1), answer(2, 1)], turn: turn({ state }) });
const running = (): View => ({ ...ended(), running: turn({ state: 'writing' }) });

const shown = (view: View, request = vi.fn(() => Promise.resolve({}))) => {
  const props = {
    client: { request } as never,
    view,
    user: 7,
    isAdmin: false,
    conversation: 'c',
    onleave: () => undefined,
  };
  return { request, ...render(AheadList, props) };
};
const texts = (): string[] => readAhead(name).map(({ asked }) => asked.text);

beforeEach(() => {
  localStorage.clear();
});

afterEach(() => {
  vi.restoreAllMocks();
});

test('what is kept is read, and what is no row of questions is none', () => {
  writeAhead(name, [waiting('a')]);
  expect(readAhead(name)).toEqual([waiting('a')]);
  for (const damaged of ['{', '{}', '[null, 1, {"asked": {}}]']) {
    localStorage.setItem(`couachgpt.${name}`, damaged);
    expect(readAhead(name)).toEqual([]);
  }
});

test('the row is bounded, by number and by letters', () => {
  const four = ['a', 'b', 'c', 'd'].map((id) => waiting(id));
  expect(hasRoom(four, 'x')).toBe(true);
  expect(hasRoom(four, 'x'.repeat(200_000))).toBe(false);
  expect(hasRoom([...four, waiting('e')], 'x')).toBe(false);
});

test('the first leaves after an answer that ended well, and after no other', () => {
  const head = waiting('a');
  expect(standing(head, ended())).toBe('leaves');
  expect(standing(head, running())).toBe('waits');
  expect(standing(head, { ...ended(), isOpening: true })).toBe('waits');
  for (const state of ['failed', 'stopped', 'interrupted'] as const) {
    expect(standing(head, ended(state))).toBe('ended');
  }
  expect(standing(waiting('a', 'editing'), ended())).toBe('held');
});

test('what another tab has sent waits no longer', () => {
  const view = { ...ended(), branch: [message(1, { client_id: 'a' })] };
  expect(stillAhead([waiting('a'), waiting('b')], view)).toEqual([waiting('b')]);
});

test('the row leaves one by one, each after the answer of the one before', async () => {
  writeAhead(name, [waiting('a'), waiting('b')]);
  const { request, rerender } = shown(running());
  expect(screen.getByText('text of a')).toBeTruthy();
  expect(request).not.toHaveBeenCalled();

  await rerender({ view: ended() });
  expect(request).toHaveBeenCalledWith(
    'chat.ask',
    expect.objectContaining({ client_id: 'a', conversation: 'c', parent: null }),
  );
  await vi.waitFor(() => expect(texts()).toEqual(['text of b']));
  await rerender({ view: { ...ended() } }); // its answer has not begun to be told
  expect(request).toHaveBeenCalledOnce();

  await rerender({ view: running() });
  await rerender({ view: ended() });
  expect(request).toHaveBeenCalledTimes(2);
  await vi.waitFor(() => expect(texts()).toEqual([]));
});

test('a lost connection sends the same question again, and loses none', async () => {
  writeAhead(name, [waiting('a')]);
  const request = vi.fn(() => Promise.reject(new RequestError('connection_lost')));
  const { rerender } = shown(ended(), request);
  await rerender({ view: { ...ended(), status: 'waiting' } });
  expect(texts()).toEqual(['text of a']);
  expect(screen.getByText(/as soon as the server answers/)).toBeTruthy();

  request.mockImplementation(() => Promise.resolve({}) as never);
  await rerender({ view: ended() });
  await vi.waitFor(() => expect(texts()).toEqual([]));
  const ids = request.mock.calls.map((call) => (call as unknown as [string, object])[1]);
  expect(ids).toEqual([ids[0], ids[0]]);
});

test.each(['queue_full', 'store_full', 'message_too_long'])(
  'one that is refused (%s) stays, with the reason and a way on',
  async (code) => {
    writeAhead(name, [waiting('a')]);
    const request = vi.fn(() => Promise.reject(new RequestError(code, { waiting: 9 })));
    shown(ended(), request);
    const again = await screen.findByRole('button', { name: 'Send' });
    expect(request).toHaveBeenCalledOnce();
    expect(readAhead(name)[0]?.hold).toMatchObject({ code });

    request.mockImplementation(() => Promise.resolve({}) as never);
    await fireEvent.click(again);
    await vi.waitFor(() => expect(texts()).toEqual([]));
  },
);

test('after an answer that was stopped it waits for its person', async () => {
  writeAhead(name, [waiting('a')]);
  const { request } = shown(ended('stopped'));
  expect(request).not.toHaveBeenCalled();
  expect(screen.getByText(/did not come to its end/)).toBeTruthy();
  await fireEvent.click(screen.getByRole('button', { name: 'Send' }));

  expect(request).toHaveBeenCalledOnce();
});

test('one can be changed, which holds it back, and taken back', async () => {
  writeAhead(name, [waiting('a'), waiting('b')]);
  const { request, rerender } = shown(running());
  await fireEvent.click(screen.getAllByRole('button', { name: /^Change/ })[0] as HTMLElement);
  await rerender({ view: ended() });
  expect(request).not.toHaveBeenCalled();

  await rerender({ view: running() });
  const field = screen.getByLabelText('The question that waits');
  await fireEvent.input(field, { target: { value: 'another text' } });
  await fireEvent.keyDown(field, { key: 'Enter' });
  expect(texts()).toEqual(['another text', 'text of b']);
  expect(readAhead(name)[0]?.asked.client_id).not.toBe('a'); // another text is another question

  await fireEvent.click(screen.getAllByRole('button', { name: /back$/ })[0] as HTMLElement);
  expect(texts()).toEqual(['text of b']);
});

test('a change in another tab is shown', async () => {
  shown(running());
  writeAhead(name, [waiting('there')]);
  await fireEvent(window, new StorageEvent('storage', { key: `couachgpt.${name}` }));
  expect(screen.getByText('text of there')).toBeTruthy();
});

test('what the browser cannot keep is refused, with the reason', () => {
  const component = shown(running()).component as unknown as {
    add: (text: string, asking: () => object) => string;
  };
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  expect(component.add('Bonjour', () => ({ model: null, choices: null }))).toMatch(
    /cannot keep another/,
  );
});
