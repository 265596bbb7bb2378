// What is said aloud: a long wait and trouble once, the end, and nothing in between.
import { render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import Announcer from './Announcer.svelte';
import type { View } from './view';
import { ChatClient } from './client';
import type { EngineState, Turn } from './protocol';
import { answer, example, FakeSocket, message, turn } from './testing';

const CLIENT = {
  open: () => new FakeSocket(),
  onaddress: () => undefined,
  onview: () => undefined,
  onend: () => undefined,
};

/** The view of a conversation whose answer is at this turn. */
function at(change: Partial<Turn>, state: EngineState = 'busy'): { view: View } {
  const given = turn(change);
  const isOver = given.finished_at !== null;
  return {
    view: {
      ...new ChatClient(CLIENT).view,
      status: 'open',
      engine: { ...example('engine').engine, state },
      branch: [message(1), answer(2, 1, { turn: given })],
      turn: given,
      running: isOver ? null : given,
    },
  };
}
const said = (): string => screen.getByRole('status').textContent.replace(/\s/g, ' ');
const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1000);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a long wait is said once, with its first figures, and not at each change', async () => {
  const { rerender } = render(Announcer, { ...at({}), language: 'en' });
  await seconds(1);
  expect(said()).toBe('');
  await rerender(at({ place: 3, wait_seconds: [20, 60] }));
  await seconds(1.5);
  const first = 'Waiting: 3 answers before yours, between 20 s and 1 min';
  expect(said()).toBe(first);

  for (const place of [2, 1, 0]) {
    await rerender(at({ place, wait_seconds: [0, 20] }));
    await seconds(10);
  }
  expect(said()).toBe(first);
});

test('a wait that is over at once is not said, nor are the stages of an answer', async () => {
  const { rerender } = render(Announcer, { ...at({ place: 0 }), language: 'en' });
  for (const state of ['loading', 'reading', 'thinking', 'writing'] as const) {
    await seconds(1);
    await rerender(at({ state }));
  }
  await seconds(60);

  expect(said()).toBe('');
});

test('trouble is said once, however it goes on, and then the end', async () => {
  const { rerender } = render(Announcer, { ...at({ state: 'writing' }), language: 'en' });
  for (const state of ['hung_idle', 'cancelling', 'restarting'] as const) {
    await rerender(at({ state: 'writing' }, state));
    await seconds(3);
  }
  expect(said()).toContain('I am restarting it — your question is kept.');
  await rerender(at({ state: 'writing', attempt: 2 }));
  await rerender(at({ state: 'done', finished_at: '2026-11-23T08:00:09Z' }));
  expect(said()).toBe('The answer is complete.');
});

test('an engine that is slow now and then is said so once', async () => {
  const { rerender } = render(Announcer, { ...at({ state: 'reading' }), language: 'en' });
  const spoken: string[] = [];
  for (const state of ['slow', 'busy', 'slow'] as const) {
    await rerender(at({ state: 'reading' }, state));
    await seconds(3);
    spoken.push(said());
  }

  expect(spoken[0]).toContain('the engine is slow, it is still working');
  expect(new Set(spoken).size).toBe(1);
});

test('the next answer begins in silence', async () => {
  const { rerender } = render(Announcer, { ...at({ place: 3 }), language: 'en' });
  await seconds(3);
  await rerender(at({ id: 2 }));

  expect(said()).toBe('');
});
