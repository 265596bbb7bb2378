// What a person sees and does beside the composer: the tools of an answer, the banners, the sidebar.
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import Sentence from './Sentence.svelte';
import Banners from './Banners.svelte';
import type { View } from './view';
import { FIRST_VIEW } from './view';
import Message from './Message.svelte';
import { acts, renderer, troubles } from './parts';
import Sidebar from './Sidebar.svelte';
import { RequestError } from './socket';
import { actingWith, answer, example, message, turn, viewWith } from './testing';

// jsdom has no screen to ask about.
beforeAll(async () => {
  await Promise.all([acts.load(), troubles.load()]);
  vi.stubGlobal('matchMedia', () => Object.assign(new EventTarget(), { matches: true }));
});

beforeEach(() => {
  localStorage.clear();
});

afterEach(() => {
  vi.useRealTimers();
});

const sidebar = (role: 'member' | 'reader', login = 'anne') => {
  const onlogout = vi.fn();
  render(Sidebar, {
    props: {
      props: {
        brand: { name: 'CouachGPT', logo: '' },
        user: { id: 7, login, name: 'Anne', role, language: 'en', zone: '', model: '' },
        conversation: null,
        csrf: 'c',
        theme: 'auto',
        answer_tokens: 1024,
        files_per_question: 10,
        language: 'en',
        version: '1',
      },
      view: FIRST_VIEW,
      filing: { older: () => Promise.resolve(), edit: () => undefined, move: () => undefined },
      isOpen: true,
      search: () => Promise.reject(new RequestError('not_searched')),
      isShut: false,
      menuOf: null,
      onmenu: () => undefined,
      onshelf: () => undefined,
      onhelp: () => undefined,
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
    acting: actingWith(),
    follow: () => () => undefined,
    ...change,
  }).container;
const buttons = (): string[] =>
  screen.queryAllByRole('button').map((each) => each.ariaLabel ?? each.textContent.trim());

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
  expect(buttons().slice(0, 2)).toEqual(['Copy', 'Answer again']); // there is one model
  expect(buttons().slice(2, 4)).toEqual(['Good answer', 'Bad answer']);
  expect(buttons()[4]).toMatch(/^412 tokens .*Details$/);
});

test.each(['interrupted', 'stopped', 'failed'] as const)(
  'an answer that was %s can be continued',
  async (state) => {
    const proceed = vi.fn();
    shown(answer(2, 1, { text: 'Bon', turn: turn({ state }) }), {
      acting: actingWith({ proceed }),
    });
    await fireEvent.click(screen.getByRole('button', { name: 'Continue' }));

    expect(proceed).toHaveBeenCalledWith(2);
  },
);

test('an answer that failed at once says why and can be tried again', () => {
  const error = { code: 'model_missing', fields: { model: 'small' } };
  const container = shown(answer(2, 1, { turn: turn({ state: 'failed', error }) }));

  expect(container.textContent).toContain('The model small is no longer on the server');
  expect(buttons().slice(0, 1)).toEqual(['Try again']);
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
  const shared = { isAdmin: false, language: 'en', isLast: true, acting: actingWith() };
  const props = { ...shared, engine: 'busy' as const, isStale: false };
  const calls = { follow: () => () => undefined };
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
  const props = {
    isAdmin: false,
    language: 'en',
    isLast: true,
    acting: actingWith(),
    isStale: false,
  };
  const calls = { follow: () => () => undefined };
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

test('an older answer can be made again, but not continued, and who only reads can copy it', () => {
  const given = answer(2, 1, { text: 'Bon', turn: turn({ state: 'stopped' }) });
  shown(given, { isLast: false });
  expect(buttons()).toContain('Answer again');
  expect(buttons()).not.toContain('Continue');
  cleanup();

  shown(given, { acting: actingWith({ canWrite: false }) });
  expect(buttons()).toEqual(['Copy', 'Details']);
});

const banner = (isAdmin: boolean, change: Partial<View>): string => {
  const { container } = render(Banners, { view: viewWith(change), isAdmin });
  return container.textContent.trim();
};
const engine = (kind: string, detail: string | null = null, is_up = false) => ({
  engine: { kind, is_up, detail, state: 'ready' as const, reason: null },
});
const noModel = (kind: string) => ({ ...engine(kind, null, true), models: [] });

test.each([
  [noModel('embedded'), 'Fetch one on the Engine page, under “Models”.'],
  [noModel('ollama'), 'Fetch one on the Engine page, under “Models”.'],
  [noModel('llama-server'), 'Start llama-server with a model'],
  [engine('ollama', 'engine_unavailable'), 'systemctl start ollama'],
  [engine('llama-server', 'engine_timeout'), 'Start llama-server, or correct its address'],
  [engine('embedded', 'engine_missing'), '[embedded] dependencies'],
  [engine('embedded', 'engine_timeout'), 'The Engine page says more.'],
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
  const { container, rerender } = render(Banners, { view: viewWith({}), isAdmin: true });
  const region = screen.getByRole('status');
  expect(region.textContent.trim()).toBe('');
  const failed = { ...engine('ollama').engine, state: 'failed', reason: 'crash_loop' } as const;
  await rerender({ view: viewWith({ engine: failed }) });

  expect(screen.getByRole('status')).toBe(region);
  expect(region.textContent).toContain('Answers are paused. You can go on asking');
  const more = container.querySelector('.banner-more');
  expect(more?.textContent).toContain('It starts and ends again and again.');
  expect(more?.querySelector('a')?.getAttribute('href')).toBe('/admin/engine');
});

test('a command in a sentence is shown as one', () => {
  const down = engine('ollama', 'engine_unavailable');
  const { container } = render(Banners, { view: viewWith(down), isAdmin: true });

  expect(container.querySelector('code')?.textContent).toBe('systemctl start ollama');
});

test('a page of ours in a sentence is a link, and no other address is', () => {
  const text =
    'On the [Engine page](/admin/engine), [a](/admin/) or `[b](/admin/x)`; [c](//d.e) [f](/g).';
  const { container } = render(Sentence, { text });

  const links = [...container.querySelectorAll('a')];
  expect(links.map((each) => [each.textContent, each.getAttribute('href')])).toEqual([
    ['Engine page', '/admin/engine'],
    ['a', '/admin/'],
  ]);
  expect(container.textContent).toBe('On the Engine page, a or [b](/admin/x); [c](//d.e) [f](/g).');
});
