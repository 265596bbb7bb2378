// What a person sees and does: writing a question, and the tools of an answer.
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import Banners from './Banners.svelte';
import type { View } from './client';
import { ChatClient } from './client';
import Composer from './Composer.svelte';
import Message from './Message.svelte';
import { renderer } from './parts';
import Sidebar from './Sidebar.svelte';
import { RequestError } from './socket';
import { answer, example, FakeSocket, message, turn } from './testing';

const view = (change: Partial<View> = {}): View => ({
  ...new ChatClient({
    open: () => new FakeSocket(),
    onaddress: () => undefined,
    onview: () => undefined,
    onend: () => undefined,
  }).view,
  status: 'open',
  models: example('hello').models,
  ...change,
});

const composer = (change: object = {}) => {
  const calls = { onask: vi.fn(() => Promise.resolve()), onstop: vi.fn() };
  const { rerender } = render(Composer, {
    view: view(),
    user: 7,
    isReader: false,
    isAdmin: false,
    hasNoModel: false,
    model: null,
    ...calls,
    ondismiss: () => undefined,
    onmodel: () => undefined,
    onmodels: () => undefined,
    ...change,
  });
  return { ...calls, rerender };
};
const box = (): HTMLTextAreaElement => screen.getByLabelText('Your question');
const write = async (text: string): Promise<void> => {
  await fireEvent.input(box(), { target: { value: text } });
};

// jsdom has no screen to ask about.
beforeAll(() => {
  vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: true }));
});

beforeEach(() => {
  localStorage.clear();
});

afterEach(() => {
  vi.useRealTimers();
});

test('Enter sends and empties the field; Shift+Enter does not', async () => {
  const { onask } = composer();
  await write('Bonjour');
  await fireEvent.keyDown(box(), { key: 'Enter', shiftKey: true });
  expect(onask).not.toHaveBeenCalled();
  await fireEvent.keyDown(box(), { key: 'Enter' });

  expect(onask).toHaveBeenCalledWith('Bonjour');
  expect(box().value).toBe('');
});

test('an input method that is composing keeps its Enter', async () => {
  const { onask } = composer();
  await write('Bonjour');
  await fireEvent.keyDown(box(), { key: 'Enter', isComposing: true });

  expect(onask).not.toHaveBeenCalled();
});

test('a refused question comes back into the field', async () => {
  composer({ onask: () => Promise.reject(new RequestError('queue_full')) });
  await write('Bonjour');
  await fireEvent.keyDown(box(), { key: 'Enter' });

  await vi.waitFor(() => expect(box().value).toBe('Bonjour'));
});

test('what was typed is there again after a reload', async () => {
  localStorage.setItem('couachgpt.draft.7.new', 'à moitié écrit');
  composer();

  await vi.waitFor(() => expect(box().value).toBe('à moitié écrit'));
});

test("another person's draft is not shown", async () => {
  localStorage.setItem('couachgpt.draft.8.new', 'secret');
  composer();
  await Promise.resolve();

  expect(box().value).toBe('');
});

test('while an answer is written the button stops it', async () => {
  const { onask, onstop } = composer({ view: view({ running: turn({ state: 'writing' }) }) });
  await write('Encore');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  await fireEvent.click(screen.getByRole('button', { name: 'Stop' }));

  expect(onask).not.toHaveBeenCalled();
  expect(onstop).toHaveBeenCalledOnce();
  expect(box().value).toBe('Encore');
});

test.each([
  [{ isReader: true }, /read here, but not write/],
  [{ hasNoModel: true }, /as soon as a model/],
])('who cannot write sees why (%#)', (change, reason) => {
  composer(change);

  expect(screen.getByText(reason)).toBeTruthy();
  expect(screen.queryByLabelText('Your question')).toBeNull();
});

test('a model that cannot be used, or was set aside, cannot be chosen', () => {
  const [good] = example('hello').models;
  const models = [good, { ...good, name: 'aside', is_broken: true }] as View['models'];
  composer({ view: view({ models, defaultModel: good?.name ?? '' }) });

  const options = [...screen.getByLabelText<HTMLSelectElement>('Model').options];
  expect(options.map(({ disabled }) => disabled)).toEqual([false, true]);
});

test('who cannot write can still stop an answer', async () => {
  const { onstop } = composer({ isReader: true, view: view({ running: turn() }) });
  await fireEvent.click(screen.getByRole('button', { name: 'Stop' }));

  expect(onstop).toHaveBeenCalledOnce();
});

test('Enter during an answer says why nothing leaves, until the text changes', async () => {
  composer({ view: view({ running: turn({ state: 'writing' }) }) });
  await write('Encore');
  expect(screen.queryByRole('status')).toBeNull();
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(screen.getByRole('status').textContent).toContain('still being written');

  await write('Encore une');
  expect(screen.queryByRole('status')).toBeNull();
});

test('that hint goes with the answer', async () => {
  const { rerender } = composer({ view: view({ running: turn({ state: 'writing' }) }) });
  await write('Encore');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  await rerender({ view: view() });

  expect(screen.queryByRole('status')).toBeNull();
});

const sidebar = (role: 'member' | 'reader', login = 'anne') => {
  const onlogout = vi.fn();
  render(Sidebar, {
    props: {
      props: {
        brand: { name: 'CouachGPT', logo: '' },
        user: { id: 7, login, name: 'Anne', role, language: 'en' },
        conversation: null,
        csrf: 'c',
        theme: 'auto',
        answer_tokens: 1024,
        language: 'en',
        version: '1',
      },
      conversations: [],
      current: null,
      isOpen: true,
      search: () => Promise.reject(new RequestError('not_searched')),
      isShut: false,
      menuOf: null,
      onmenu: () => undefined,
      onshelf: () => undefined,
      ongo: () => undefined,
      onopen: () => undefined,
      onclose: () => undefined,
      onlogout,
    },
  });
  return onlogout;
};

test('a reader is not offered a new conversation', () => {
  sidebar('reader');

  expect(screen.queryByText('New conversation')).toBeNull();
  expect(screen.getByText('You can read what is shared with you.')).toBeTruthy();
});

test('the user name is told where it differs from the name', () => {
  sidebar('member', 'anne.le.gall');
  expect(screen.getByText('anne.le.gall')).toBeTruthy();
  cleanup();
  sidebar('member', 'Anne');
  expect(screen.getAllByText('Anne')).toHaveLength(1);
});

test('logging out closes the connection before the form leaves', async () => {
  localStorage.setItem('couachgpt.draft.7.new', 'Bonjour');
  const onlogout = sidebar('member');
  const form = screen.getByText('Log out').closest('form');
  if (form !== null) await fireEvent.submit(form);

  expect(onlogout).toHaveBeenCalledOnce();
  expect(localStorage.getItem('couachgpt.draft.7.new')).toBeNull();
});

const shown = (given: ReturnType<typeof message>, change: object = {}): HTMLElement =>
  render(Message, {
    message: given,
    isAdmin: false,
    language: 'en',
    isLast: true,
    engine: 'busy',
    isStale: false,
    canAct: true,
    follow: () => () => undefined,
    onregenerate: () => undefined,
    oncontinue: () => undefined,
    ...change,
  }).container;
const buttons = (): string[] =>
  screen.queryAllByRole('button').map((button) => button.textContent.trim());

test('a question is shown as it was typed', () => {
  expect(shown(message(1, { text: '**not bold** <b>x</b>' })).textContent).toContain(
    '**not bold** <b>x</b>',
  );
});

test('a finished answer is drawn, with its figures, and can be copied and made again', async () => {
  await renderer.load();
  const given = example('snapshot').messages[1] ?? message(1);
  const container = shown(given);

  expect(container.querySelector('strong')?.textContent).toBe('infusion');
  expect(container.textContent).toContain('412 tokens');
  expect(buttons()).toEqual(['Copy', 'Answer again']);
});

test.each(['interrupted', 'stopped', 'failed'] as const)(
  'an answer that was %s can be continued',
  async (state) => {
    const oncontinue = vi.fn();
    shown(answer(2, 1, { text: 'Bon', turn: turn({ state }) }), { oncontinue });
    await fireEvent.click(screen.getByRole('button', { name: 'Continue' }));

    expect(oncontinue).toHaveBeenCalledWith(2);
  },
);

test('an answer that failed at once says why and can be tried again', () => {
  const error = { code: 'model_missing', fields: { model: 'small' } };
  const container = shown(answer(2, 1, { turn: turn({ state: 'failed', error }) }));

  expect(container.textContent).toContain('The model small is no longer on the server');
  expect(buttons()).toEqual(['Try again']);
});

test('a running answer says its stage and has no tools yet', () => {
  const container = shown(answer(2, 1, { turn: turn({ state: 'loading' }) }));

  expect(container.textContent).toContain('Loading the model small…');
  expect(buttons()).toEqual([]);
});

test.each(['stopped', 'interrupted', 'failed'] as const)(
  'an answer that was %s says how much, how fast and how long, too',
  (state) => {
    const timings = example('snapshot').messages[1]?.turn?.timings ?? null;
    const container = shown(answer(2, 1, { text: 'Bon', turn: turn({ state, timings }) }));

    expect(container.textContent).toContain('412 tokens · 11.2 tokens/s · 40 s');
  },
);

const stageOf = (container: HTMLElement): string =>
  container.querySelector('.stage')?.textContent.replace(/\s+/g, ' ').trim() ?? '';

test('a stage that takes long says since when, each stage anew, and nothing aloud', async () => {
  vi.useFakeTimers();
  const shared = { isAdmin: false, language: 'en', isLast: true, canAct: true };
  const props = { ...shared, engine: 'busy' as const, isStale: false };
  const calls = { follow: () => () => undefined, onregenerate: vi.fn(), oncontinue: vi.fn() };
  const reading = (tokens: number) => ({
    message: answer(2, 1, {
      turn: turn({ state: 'reading', read_tokens: tokens, prompt_tokens: 1000 }),
    }),
  });
  const { container, rerender } = render(Message, { ...props, ...calls, ...reading(256) });

  await vi.advanceTimersByTimeAsync(2000);
  expect(stageOf(container)).toBe('Reading your question: 26%');
  await vi.advanceTimersByTimeAsync(2000);
  expect(stageOf(container)).toBe('Reading your question: 26% · 4 s');
  await rerender(reading(512));
  await vi.advanceTimersByTimeAsync(61_000);
  expect(stageOf(container)).toBe('Reading your question: 51% · 1 min 5 s');
  expect(container.querySelector('.stage [aria-hidden=true]:last-child')?.textContent).toContain(
    '1 min 5 s',
  );

  await rerender({ message: answer(2, 1, { turn: turn({ state: 'thinking' }) }) });
  expect(stageOf(container)).toBe('Thinking…');
  await vi.advanceTimersByTimeAsync(3000);
  expect(stageOf(container)).toBe('Thinking… · 3 s');
  await rerender({ message: answer(2, 1, { turn: turn({ state: 'writing' }) }) });
  await vi.advanceTimersByTimeAsync(9000);
  expect(stageOf(container)).toBe('Writing…');
  expect(vi.getTimerCount()).toBe(0);
});

test('what an attempt left behind is shown as such, with what is being done', () => {
  const given = answer(2, 1, { text: 'Bonjour', turn: turn({ is_healing: true }) });
  const container = shown(given, { engine: 'restarting', isStale: true });

  expect(container.querySelector('.is-stale')).not.toBeNull();
  expect(stageOf(container)).toContain('I am restarting it — your question is kept.');
  expect(buttons()).toEqual([]);
});

test('while the engine is brought back one clock goes on, also for text that grew', async () => {
  vi.useFakeTimers();
  const props = { isAdmin: false, language: 'en', isLast: true, canAct: true, isStale: false };
  const calls = { follow: () => () => undefined, onregenerate: vi.fn(), oncontinue: vi.fn() };
  const writing = { message: answer(2, 1, { turn: turn({ state: 'writing' }) }) };
  const { container, rerender } = render(Message, {
    ...props,
    ...calls,
    ...writing,
    engine: 'hung_idle',
  });
  await vi.advanceTimersByTimeAsync(5000);
  expect(stageOf(container)).toMatch(/is kept\. \(5 s\)$/);
  await rerender({ message: answer(2, 1, { turn: turn({ is_healing: true }) }) });
  await rerender({ engine: 'restarting' });
  await vi.advanceTimersByTimeAsync(5000);
  expect(stageOf(container)).toMatch(/is kept\. \(10 s\)$/);
  await rerender({ message: answer(2, 1, { turn: turn({ state: 'loading' }) }), engine: 'busy' });
  expect(stageOf(container)).toBe('Loading the model small…');
});

test('an older answer can only be copied', () => {
  shown(answer(2, 1, { text: 'Bon', turn: turn({ state: 'stopped' }) }), { isLast: false });

  expect(buttons()).toEqual(['Copy']);
});

const banner = (isAdmin: boolean, change: Partial<View>): string => {
  const { container } = render(Banners, { view: view(change), isAdmin });
  return container.textContent.trim();
};
const engine = (kind: string, detail: string | null = null, is_up = false) => ({
  engine: { kind, is_up, detail, state: 'ready' as const, reason: null },
});
const noModel = (kind: string) => ({ ...engine(kind, null, true), models: [] });

test.each([
  [noModel('embedded'), 'couachgptctl model fetch NAME'],
  [noModel('ollama'), 'ollama pull NAME'],
  [noModel('llama-server'), 'Start llama-server with a model'],
  [engine('ollama', 'engine_unavailable'), 'systemctl start ollama'],
  [engine('llama-server', 'engine_timeout'), 'Start llama-server, or correct its address'],
  [engine('embedded', 'engine_missing'), '[embedded] dependencies'],
  [engine('embedded', 'engine_timeout'), 'couachgptctl status'],
])('an administrator is told what to do about the engine, others whom to tell (%#)', (at, what) => {
  const told = banner(true, at);
  cleanup();

  expect(told).toContain(what);
  expect(told).not.toContain('`');
  expect(told).not.toContain('administrator');
  expect(banner(false, at)).toMatch(
    /^(The AI engine|There is no model).*tell your administrator\.$/,
  );
});

test('an engine that is well or not yet known is nobody’s trouble', () => {
  expect(banner(true, engine('ollama', null, true))).toBe('');
  cleanup();
  expect(banner(true, engine(''))).toBe('Waiting for the AI engine…');
});

test.each(['open', 'waiting'] as const)('a restart is told while the socket is %s', (status) => {
  const told = banner(false, { ...engine('ollama', null, true), status, isRestarting: true });

  expect(told).toMatch(/^The server is restarting\./);
});

test('the engine’s banner is read aloud when it comes, with the remedy below', async () => {
  const { container, rerender } = render(Banners, { view: view({}), isAdmin: true });
  const region = screen.getByRole('status');
  expect(region.textContent.trim()).toBe('');
  const failed = { ...engine('ollama').engine, state: 'failed', reason: 'crash_loop' } as const;
  await rerender({ view: view({ engine: failed }) });

  expect(screen.getByRole('status')).toBe(region);
  expect(region.textContent).toContain('Answers are paused. You can go on asking');
  const more = container.querySelector('.banner-more');
  expect(more?.textContent).toContain('It starts and ends again and again.');
  expect(more?.querySelector('code')?.textContent).toBe('couachgptctl engine reset');
});

test('a command in a sentence is shown as one', () => {
  const { container } = render(Banners, { view: view(noModel('ollama')), isAdmin: true });

  expect(container.querySelector('code')?.textContent).toBe('ollama pull NAME');
});
