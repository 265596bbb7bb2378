// The tools of questions and answers: editing in place, walking through versions, the figures.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { editing, editLast } from '../editing.svelte';
import { RequestError } from '../socket';
import { actingWith, answer, example, message, turn, viewWith } from '../testing';
import type { View } from '../view';
import type { Acting } from './acting';
import Editor from './Editor.svelte';
import { figuresOf } from './figures';
import VersionSteps from './VersionSteps.svelte';

const acting = (change: Partial<Acting> = {}, view: Partial<View> = {}): Acting =>
  actingWith({
    view: viewWith(view),
    ask: vi.fn(() => Promise.resolve()),
    walk: vi.fn(),
    ...change,
  });
const QUESTION = message(3, { text: 'Un deux' });
const box = (): HTMLTextAreaElement => screen.getByLabelText('Your question, written anew');
const edit = (given: Acting) => {
  editing.begin(3);
  return render(Editor, { message: QUESTION, acting: given });
};
const write = (value: string): Promise<void> =>
  fireEvent.input(box(), { target: { value } }) as Promise<unknown> as Promise<void>;
const press = (key: string, more: object = {}): Promise<void> =>
  fireEvent.keyDown(box(), { key, ...more }) as Promise<unknown> as Promise<void>;

beforeEach(() => {
  localStorage.clear();
});
afterEach(() => {
  editing.end();
});

test('Enter sends the question written anew, Shift+Enter does not', async () => {
  const given = acting();
  edit(given);
  expect(document.activeElement).toBe(box());
  expect(box().value).toBe('Un deux');
  await write('Un deux trois');
  await press('Enter', { shiftKey: true });
  await press('Enter', { isComposing: true });
  expect(given.ask).not.toHaveBeenCalled();
  await press('Enter');

  expect(given.ask).toHaveBeenCalledWith('Un deux trois', expect.any(String), 3);
  await vi.waitFor(() => {
    expect(editing.message).toBeNull();
  });
  expect(localStorage).toHaveLength(0);
});

test('a refused one stays in its place with the reason, and comes back after a reload', async () => {
  const ask = vi.fn(() => Promise.reject(new RequestError('queue_full', { waiting: 9 })));
  const { unmount } = edit(acting({ ask }));
  await write('Autre chose');
  await press('Enter');
  expect((await screen.findByRole('alert')).textContent).not.toBe('');
  expect(editing.message).toBe(3);
  expect(box().value).toBe('Autre chose');
  await press('Enter');
  const ids = (ask.mock.calls as unknown as [string, string, number][]).map(([, id]) => id);
  unmount();

  edit(acting({ ask }));
  expect(box().value).toBe('Autre chose');
  await press('Enter');
  expect((ask.mock.calls as unknown as [string, string, number][]).at(-1)?.[1]).toBe(ids.at(-1));
});

test('while an answer is written it waits, and says so', async () => {
  const given = acting({}, { running: turn({ state: 'writing' }) });
  edit(given);
  await write('Autre chose');
  await press('Enter');

  expect(given.ask).not.toHaveBeenCalled();
  expect(screen.getByRole('status').textContent).toContain('the answer is still being written');
});

test('Escape leaves and keeps what was written, Cancel gives it up', async () => {
  const first = edit(acting());
  await write('Autre chose');
  await press('Escape');
  expect(editing.message).toBeNull();
  first.unmount();

  const second = edit(acting());
  expect(box().value).toBe('Autre chose');
  await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
  second.unmount();
  edit(acting());
  expect(box().value).toBe('Un deux');
});

test('the last question of a branch can be edited from elsewhere', () => {
  expect(editLast([])).toBe(false);
  expect(editLast([message(1), answer(2, 1), message(3), answer(4, 3)])).toBe(true);
  expect(editing.message).toBe(3);
});

test('versions are walked by buttons and arrows, and end at both ends', async () => {
  const given = acting({}, { versions: new Map([[3, [1, 2, 3]]]) });
  render(VersionSteps, { message: 3, acting: given });
  expect(screen.getByRole('group', { name: 'Version 3 of 3' }).textContent).toContain('3/3');
  expect(
    screen.getByRole<HTMLButtonElement>('button', { name: 'The version after' }).disabled,
  ).toBe(true);
  const earlier = screen.getByRole('button', { name: 'The version before' });
  await fireEvent.keyDown(earlier, { key: 'ArrowRight' });
  expect(given.walk).not.toHaveBeenCalled();
  await fireEvent.keyDown(earlier, { key: 'ArrowLeft' });
  await fireEvent.click(earlier);

  expect(given.walk).toHaveBeenCalledTimes(2);
  expect(given.walk).toHaveBeenCalledWith(3, 2, 'earlier');
});

test('of the figures of an answer only what is known is told', () => {
  expect(figuresOf(turn({ state: 'failed' }), 'en')).toEqual([]);
  const ended = {
    ...turn(example('snapshot').messages[1]?.turn ?? {}),
    sent: { exchanges: 1, first: 1, tokens: 900, limit_tokens: 4096 },
  };
  const told = new Map(figuresOf(ended, 'en'));

  expect(told.get('Written')).toBe('412 tokens');
  expect(told.get('Context used')).toMatch(/of 4,096 tokens \(\d+%\)$/);
});
