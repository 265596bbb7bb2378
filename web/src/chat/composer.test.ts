// Writing a question: what is sent, what is kept, what is said of it.
import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, expect, test, vi } from 'vitest';
import Composer from './Composer.svelte';
import { readDraft, writeDraft } from './drafts';
import { RequestError } from './socket';
import { message, turn, viewWith } from './testing';

const composer = (change: object = {}) => {
  const calls = { onask: vi.fn(() => Promise.resolve()), onstop: vi.fn() };
  const { rerender } = render(Composer, {
    view: viewWith(),
    user: 7,
    isReader: false,
    isAdmin: false,
    hasNoModel: false,
    ...calls,
    ondismiss: () => undefined,
    ...change,
  });
  return { ...calls, rerender };
};
const box = (): HTMLTextAreaElement => screen.getByLabelText('Your question');
const write = async (text: string): Promise<void> => {
  await fireEvent.input(box(), { target: { value: text } });
};

beforeEach(() => {
  localStorage.clear();
});

test('Enter sends and empties the field; Shift+Enter does not', async () => {
  const { onask } = composer();
  await write('Bonjour');
  await fireEvent.keyDown(box(), { key: 'Enter', shiftKey: true });
  expect(onask).not.toHaveBeenCalled();
  await fireEvent.keyDown(box(), { key: 'Enter' });

  expect(onask).toHaveBeenCalledWith('Bonjour', expect.any(String));
  expect(box().value).toBe('');
});

test('an input method that is composing keeps its Enter', async () => {
  const { onask } = composer();
  await write('Bonjour');
  await fireEvent.keyDown(box(), { key: 'Enter', isComposing: true });
  await fireEvent.compositionEnd(box());
  await fireEvent.keyDown(box(), { key: 'Enter' }); // as Safari tells it
  expect(onask).not.toHaveBeenCalled();

  await new Promise((resolve) => setTimeout(resolve));
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(onask).toHaveBeenCalledOnce();
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

test('what another tab types is shown, unless something was typed here', async () => {
  composer();
  const name = 'couachgpt.draft.7.new';
  const elsewhere = (text: string): Promise<unknown> => {
    localStorage.setItem(name, text);
    return fireEvent(window, new StorageEvent('storage', { key: name }));
  };
  await elsewhere('typed there');
  expect(box().value).toBe('typed there');

  await write('typed here');
  await elsewhere('something else');
  expect(box().value).toBe('typed here');
});

test('a question whose coming was never told is sent again as the same one', async () => {
  composer({ onask: () => new Promise<void>(() => undefined) });
  await write('Bonjour');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  await write('et puis');
  cleanup(); // a reload before the server answered
  expect(readDraft('draft.7.new').text).toBe('Bonjour\net puis');

  const id = 'the-same';
  writeDraft('draft.7.new', { text: 'Bonjour', client_id: id });
  const second = composer();
  await vi.waitFor(() => expect(box().value).toBe('Bonjour'));
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(second.onask).toHaveBeenCalledWith('Bonjour', id);
});

test('a draft that had come after all is not offered a second time', async () => {
  writeDraft('draft.7.c', { text: 'Bonjour', client_id: 'came' });
  composer({ view: viewWith({ current: 'c', branch: [message(1, { client_id: 'came' })] }) });

  await vi.waitFor(() => expect(readDraft('draft.7.c').text).toBe(''));
  expect(box().value).toBe('');
});

test('a browser that keeps nothing is told before the page is closed', async () => {
  const setItem = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  composer();
  await write('Bonjour');
  setItem.mockRestore();

  expect(screen.getByText(/cannot keep your text/)).toBeTruthy();
  expect(window.dispatchEvent(new Event('beforeunload', { cancelable: true }))).toBe(false);
});

const writer = (change: object = {}) => ({
  add: vi.fn(() => ''),
  editLast: vi.fn(() => false),
  openHelp: vi.fn(),
  offer: vi.fn(),
  list: () => null,
  takesKey: vi.fn(() => false),
  ...change,
});

test('Enter while an answer is written lets the question wait, and keeps what cannot', async () => {
  const help = writer();
  composer({ view: viewWith({ current: 'c', running: turn() }), writer: help });
  await write('Encore');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(help.add).toHaveBeenCalledWith('Encore');
  expect(box().value).toBe('');
  expect(readDraft('draft.7.c').text).toBe('');

  help.add.mockReturnValue('No more fit.');
  await write('Une de trop');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(box().value).toBe('Une de trop');
  expect(screen.getByRole('status').textContent).toContain('No more fit.');
});

test('Enter while the question before is on its way lets the next one wait, once it can', async () => {
  const help = writer();
  const pending = { client_id: 'a', text: 'Bonjour', conversation: 'c' };
  const { rerender, onask } = composer({
    view: viewWith({ current: 'c', pending } as never),
    writer: help,
  });
  await write('Encore');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(help.add).not.toHaveBeenCalled();
  await rerender({ view: viewWith({ current: 'c', running: turn() }) });

  await vi.waitFor(() => expect(help.add).toHaveBeenCalledWith('Encore'));
  expect(onask).not.toHaveBeenCalled();
  expect(box().value).toBe('');
});

test('the arrow up in an empty field changes the last that waits, else the last asked', async () => {
  const onedit = vi.fn();
  const help = writer();
  composer({ writer: help, onedit });
  await write('a');
  await fireEvent.keyDown(box(), { key: 'ArrowUp' });
  expect(help.editLast).not.toHaveBeenCalled();
  await write('');
  await fireEvent.keyDown(box(), { key: 'ArrowUp' });
  expect(onedit).toHaveBeenCalledOnce();
  help.editLast.mockReturnValue(true);
  await fireEvent.keyDown(box(), { key: 'ArrowUp' });
  expect(onedit).toHaveBeenCalledOnce();
});

test('a key that the list of prompts takes does nothing else', async () => {
  const { onask } = composer({ writer: writer({ takesKey: () => true }) });
  await write('/bref');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(onask).not.toHaveBeenCalled();
});

test('files that are pasted or dropped are handed on, and text is not', async () => {
  const onfiles = vi.fn();
  composer({ onfiles });
  const file = new File(['x'], 'x.txt');
  await fireEvent.paste(box(), { clipboardData: { files: [], getData: () => 'x' } });
  expect(onfiles).not.toHaveBeenCalled();
  await fireEvent.paste(box(), { clipboardData: { files: [file] } });
  await fireEvent.drop(box(), { dataTransfer: { files: [file] } });
  expect(onfiles.mock.calls).toEqual([[[file]], [[file]]]);
});

test('while an answer is written the button stops it', async () => {
  const { onask, onstop } = composer({ view: viewWith({ running: turn({ state: 'writing' }) }) });
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
  const { onstop } = composer({ isReader: true, view: viewWith({ running: turn() }) });
  await fireEvent.click(screen.getByRole('button', { name: 'Stop' }));

  expect(onstop).toHaveBeenCalledOnce();
});

test('Enter during an answer says why nothing leaves, until the text changes', async () => {
  composer({ view: viewWith({ running: turn({ state: 'writing' }) }) });
  await write('Encore');
  expect(screen.queryByRole('status')).toBeNull();
  await fireEvent.keyDown(box(), { key: 'Enter' });
  expect(screen.getByRole('status').textContent).toContain('still being written');

  await write('Encore une');
  expect(screen.queryByRole('status')).toBeNull();
});

test('that hint goes with the answer', async () => {
  const { rerender } = composer({ view: viewWith({ running: turn({ state: 'writing' }) }) });
  await write('Encore');
  await fireEvent.keyDown(box(), { key: 'Enter' });
  await rerender({ view: viewWith() });

  expect(screen.queryByRole('status')).toBeNull();
});
