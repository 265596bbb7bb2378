// A thumb up or down, a word to it: what is sent, what is said, and what is shown when it is refused.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { beforeEach, expect, test, vi } from 'vitest';
import { RequestError } from '../socket';
import { actingWith, answer, turn } from '../testing';
import type { Message, Rating } from '../protocol';
import Thumbs from './Thumbs.svelte';

const rated = (rating: Rating | null): Message =>
  answer(4, 3, { text: 'Oui.', turn: turn({ state: 'done' }), rating });
const children = createRawSnippet(() => ({ render: () => '<i></i>' }));
const button = (name: string): HTMLElement => screen.getByRole('button', { name });
const isPressed = (name: string): boolean => button(name).getAttribute('aria-pressed') === 'true';
const field = (): HTMLInputElement => screen.getByRole('textbox');
const said = (): string => screen.getByRole('status').textContent;

/** Shows an answer whose rating is what was asked for last, as the server tells it. */
function show(rating: Rating | null = null, refusal?: RequestError) {
  const rate = vi.fn((_: number, value: 1 | -1 | null, word: string) => {
    if (refusal !== undefined) return Promise.reject(refusal);
    void shown.rerender({ message: rated(value === null ? null : { value, word }) });
    return Promise.resolve();
  });
  const acting = actingWith({ rate });
  const shown = render(Thumbs, { message: rated(rating), acting, children });
  return { ...shown, rate };
}

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: true }));
});

test('a thumb is pressed, thanks are said, and a word may follow by Enter', async () => {
  const { rate } = show();
  expect([isPressed('Good answer'), isPressed('Bad answer')]).toEqual([false, false]);
  await fireEvent.click(button('Bad answer'));

  await vi.waitFor(() => expect(document.activeElement).toBe(field()));
  expect([isPressed('Good answer'), isPressed('Bad answer')]).toEqual([false, true]);
  expect(said()).toBe('Thank you.');
  expect(field().maxLength).toBe(500);
  await fireEvent.input(field(), { target: { value: ' Faux. ' } });
  await fireEvent.submit(field());

  await vi.waitFor(() => expect(screen.queryByRole('textbox')).toBeNull());
  expect(rate.mock.calls).toEqual([
    [4, -1, ''],
    [4, -1, ' Faux. '],
  ]);
  expect(document.activeElement).toBe(button('Bad answer'));
});

test('Enter without a word only closes, and so does Escape, which goes no further', async () => {
  const { rate } = show();
  const escaped = vi.fn();
  document.body.addEventListener('keydown', escaped);
  for (const close of [
    () => fireEvent.submit(field()),
    () => fireEvent.keyDown(field(), { key: 'Escape' }),
  ]) {
    await fireEvent.click(button('Good answer'));
    await vi.waitFor(() => field());
    await close();
    await vi.waitFor(() => expect(screen.queryByRole('textbox')).toBeNull());
    expect(document.activeElement).toBe(button('Good answer'));
    await fireEvent.click(button('Good answer'));
    await vi.waitFor(() => expect(said()).toBe('Your rating is taken back.'));
    expect(isPressed('Good answer')).toBe(false);
  }
  expect(rate.mock.calls.map(([, value]) => value)).toEqual([1, null, 1, null]);
  expect(escaped).not.toHaveBeenCalled();
  document.body.removeEventListener('keydown', escaped);
});

test('the other thumb takes the place of the first', async () => {
  const { rate } = show({ value: 1, word: 'Clair' });
  expect(screen.getByText(/Your word: “Clair”/)).toBeDefined();
  await fireEvent.click(button('Bad answer'));

  expect(rate).toHaveBeenCalledWith(4, -1, '');
  await vi.waitFor(() => expect(isPressed('Bad answer')).toBe(true));
  expect(isPressed('Good answer')).toBe(false);
});

test('a word can be changed, and an empty one takes it back alone', async () => {
  const { rate } = show({ value: 1, word: 'Clair' });
  await fireEvent.click(button('Change it'));
  expect(field().value).toBe('Clair');
  await fireEvent.input(field(), { target: { value: '' } });
  await fireEvent.submit(field());

  await vi.waitFor(() => expect(screen.queryByText(/Your word:/)).toBeNull());
  expect(rate.mock.calls).toEqual([[4, 1, '']]);
  expect(isPressed('Good answer')).toBe(true);
});

test('what is not kept is told, and the thumbs stay as they were', async () => {
  const { rerender } = show({ value: 1, word: '' }, new RequestError('connection_lost'));
  await fireEvent.click(button('Bad answer'));

  const told = await screen.findByRole('alert');
  expect(told.textContent).toContain('Your rating was not kept.');
  expect([isPressed('Good answer'), isPressed('Bad answer')]).toEqual([true, false]);
  expect([said(), screen.queryByRole('textbox')]).toEqual(['', null]);
  // It had been kept after all: only the answer was lost.
  await rerender({ message: rated({ value: -1, word: '' }) });
  expect(screen.queryByRole('alert')).toBeNull();
});
