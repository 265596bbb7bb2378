// The thoughts of a model: folded, with their time, open while they grow where somebody wishes it.
import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { renderer } from './parts';
import { turn } from './testing';
import Thinking from './Thinking.svelte';

beforeAll(async () => {
  await renderer.load();
});

beforeEach(() => {
  localStorage.clear();
});

const growing = { turn: turn({ state: 'thinking' }), thinking: 'Un *mot*' };
const grown = { turn: turn({ state: 'writing', think_seconds: 12.4 }), thinking: 'Un *mot*' };
const shown = (change: object): ReturnType<typeof render> =>
  render(Thinking, { thinking: 'hm', turn: null, isStale: false, language: 'en', ...change });
const isOpen = (): boolean => document.querySelector('details')?.open === true;

test('they are folded, with their time once it is known', async () => {
  const { rerender } = shown(growing);
  expect(screen.getByText('Thoughts so far')).toBeTruthy();
  expect(isOpen()).toBe(false);

  await rerender(grown);
  expect(screen.getByText('Thought for 12 s')).toBeTruthy();

  await rerender({ turn: turn({ state: 'done' }) }); // as kept by an older version
  expect(screen.getByText('How it thought')).toBeTruthy();
});

test('opened, they are drawn by the renderer of the answers', async () => {
  shown(grown);
  await fireEvent.click(screen.getByText('Thought for 12 s'));

  expect(document.querySelector('.thoughts em')?.textContent).toBe('mot');
});

test('what was opened by hand stays open', async () => {
  const { rerender } = shown(growing);
  await fireEvent.click(screen.getByText('Thoughts so far'));
  await rerender(grown);

  expect(isOpen()).toBe(true);
});

test('who wishes finds the next ones open while they grow, and folded after', async () => {
  const first = shown(grown);
  await fireEvent.click(screen.getByText('Thought for 12 s'));
  await fireEvent.click(screen.getByRole('checkbox'));
  first.unmount();

  const { rerender } = shown(growing);
  expect(isOpen()).toBe(true);
  await rerender(grown);
  expect(isOpen()).toBe(false);

  await fireEvent.click(screen.getByText('Thought for 12 s'));
  await fireEvent.click(screen.getByRole('checkbox'));
  expect(localStorage).toHaveLength(0);
});
