// What a person sees and does: writing a question, and the tools of an answer.
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { View } from './client';
import { ChatClient } from './client';
import Composer from './Composer.svelte';
import Message from './Message.svelte';
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
      ongo: () => undefined,
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
    language: 'en',
    isLast: true,
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

test('a finished answer is drawn, with its figures, and can be copied and made again', () => {
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

test('an older answer can only be copied', () => {
  shown(answer(2, 1, { text: 'Bon', turn: turn({ state: 'stopped' }) }), { isLast: false });

  expect(buttons()).toEqual(['Copy']);
});
