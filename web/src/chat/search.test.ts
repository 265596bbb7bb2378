// Searching as one types: what is asked, which answer is shown, and what the keys do.
import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { addressOf, messageIn } from './address';
import type { Found, FoundMessage } from './protocol';
import SearchBox from './Search.svelte';
import type { SearchView } from './search';
import { Searcher } from './search';
import { RequestError } from './socket';
import { example } from './testing';

const { conversation } = example('conversation');
const message = (id: number, text = `message ${id}`): FoundMessage => ({
  conversation,
  message: id,
  author: 'person',
  created_at: '2026-11-23T08:00:00Z',
  parts: [
    { text: '<b>du</b> ', is_hit: false },
    { text, is_hit: true },
  ],
});
const found = (change: Partial<Found> = {}): Found => ({
  titles: [],
  messages: [],
  files: [],
  has_more: false,
  ...change,
});

interface Asked {
  readonly text: string;
  readonly before: number | null;
  answer: (found: Found) => void;
  refuse: (error: RequestError) => void;
}

/** A server that answers when the test says so. */
function server(): {
  asked: Asked[];
  search: (text: string, before: number | null) => Promise<Found>;
} {
  const asked: Asked[] = [];
  const search = (text: string, before: number | null): Promise<Found> =>
    new Promise((answer, refuse) => asked.push({ text, before, answer, refuse }));
  return { asked, search };
}

const searcher = () => {
  const { asked, search } = server();
  const views: SearchView[] = [];
  const made = new Searcher(search, (view) => views.push(view));
  return { made, asked, now: () => views.at(-1) };
};
const rest = () => vi.advanceTimersByTimeAsync(200);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('only what is typed when the typing rests is asked for', async () => {
  const { made, asked } = searcher();
  for (const text of ['é', 'ét', 'été']) made.type(text);
  await rest();

  expect(asked.map(({ text }) => text)).toEqual(['été']);
});

test('an answer that comes after the next letter is not shown', async () => {
  const { made, asked, now } = searcher();
  made.type('a');
  await rest();
  made.type('ab');
  await rest();
  asked[1]?.answer(found({ messages: [message(2)] }));
  await rest();
  asked[0]?.answer(found({ messages: [message(1)] }));
  await rest();

  expect(now()?.found?.messages.map((each) => each.message)).toEqual([2]);
  expect(now()?.isWaiting).toBe(false);
});

test('nothing is asked for blanks, and what was under way is forgotten', async () => {
  const { made, asked, now } = searcher();
  made.type('a');
  await rest();
  made.type('  ');
  await rest();
  asked[0]?.answer(found({ messages: [message(1)] }));
  await rest();

  expect(asked).toHaveLength(1);
  expect(now()).toMatchObject({ text: '  ', found: null, isWaiting: false });
});

test('older results follow those that are there', async () => {
  const { made, asked, now } = searcher();
  made.type('a');
  await rest();
  asked[0]?.answer(found({ messages: [message(9), message(7)], has_more: true }));
  await rest();
  void made.more();
  expect(asked[1]).toMatchObject({ text: 'a', before: 7 });
  asked[1]?.answer(found({ messages: [message(3)] }));
  await rest();

  expect(now()?.found?.messages.map((each) => each.message)).toEqual([9, 7, 3]);
  expect(now()?.found?.has_more).toBe(false);
});

test('a refusal is told, and asked again on demand', async () => {
  const { made, asked, now } = searcher();
  made.type('a');
  await rest();
  asked[0]?.refuse(new RequestError('connection_lost'));
  await rest();
  expect(now()?.failure?.code).toBe('connection_lost');

  made.again();
  asked[1]?.answer(found());
  await rest();

  expect(now()).toMatchObject({ failure: null, isWaiting: false });
});

test('the address of a message is read as it is written', () => {
  expect(messageIn(new URL(addressOf('c', 42), 'http://x').hash)).toBe(42);
  expect(['', '#', '#x', '#1.5'].map(messageIn)).toEqual([null, null, null, null]);
});

const box = (): HTMLInputElement => screen.getByLabelText('Search in your conversations');
const searched = async (answer: Found) => {
  const { asked, search } = server();
  const calls = { onopen: vi.fn(), ongo: vi.fn() };
  const children = createRawSnippet(() => ({ render: () => '<p>the list</p>' }));
  const { container } = render(SearchBox, { search, language: 'en', ...calls, children });
  await fireEvent.input(box(), { target: { value: 'some' } });
  await rest();
  asked[0]?.answer(answer);
  await rest();
  vi.useRealTimers();
  return { container, ...calls };
};

test('what is found takes the place of the list, with its hits marked and nothing as markup', async () => {
  const { container } = await searched(found({ messages: [message(1, '<i>été</i>')] }));

  expect(screen.queryByText('the list')).toBeNull();
  expect([...container.querySelectorAll('mark')].map((each) => each.textContent)).toEqual([
    '<i>été</i>',
  ]);
  expect(screen.getByRole('link').textContent).toContain('<b>du</b> <i>été</i>');
  expect(container.querySelector('b, i')).toBeNull();
  expect(screen.getByRole('status').textContent).toBe('1 result');
});

test('the keys walk through the results and back, and Escape brings the list back', async () => {
  const { ongo } = await searched(found({ messages: [message(5), message(4)] }));
  const [first, second] = screen.getAllByRole('link');
  box().focus();
  const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document, { key });

  await press('ArrowDown');
  await press('ArrowDown');
  expect(document.activeElement).toBe(second);
  await press('ArrowUp');
  expect(document.activeElement).toBe(first);
  await press('ArrowUp');
  expect(document.activeElement).toBe(box());
  await press('Enter');
  expect(ongo).toHaveBeenCalledWith(conversation.id, 5);
  await press('Escape');

  await waitFor(() => expect(screen.getByText('the list')).toBeTruthy());
  expect(box().value).toBe('');
});

test('a file is found by its name and leads to the question that it went with', async () => {
  const { ongo } = await searched(found({ files: [message(7, 'rapport.pdf')] }));

  expect(screen.getByRole('heading').textContent).toBe('Files');
  expect(screen.getByRole('status').textContent).toBe('1 result');
  await fireEvent.click(screen.getByRole('link'));
  expect(ongo).toHaveBeenCalledWith(conversation.id, 7);
});

test('Ctrl+K opens what hides the box and takes the focus there', async () => {
  const { onopen } = await searched(found());
  expect(screen.getByText(/^Nothing found/)).toBeTruthy();

  await fireEvent.keyDown(window, { key: 'k', ctrlKey: true });

  expect(onopen).toHaveBeenCalledOnce();
  await waitFor(() => expect(document.activeElement).toBe(box()));
});
