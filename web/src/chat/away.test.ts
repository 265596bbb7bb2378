// Of which ends somebody who looks elsewhere is told, and when a browser can tell them.
import { render } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Ends, telling, turnOff, turnOn } from './away';
import Away from './Away.svelte';
import { turn } from './testing';
import { FIRST_VIEW, type View } from './view';

const DONE = turn({ id: 7, state: 'done', finished_at: '2026-01-01T00:00:00Z' });
const RUNNING = turn({ id: 7, finished_at: null });
const during: View = { ...FIRST_VIEW, turn: RUNNING, running: RUNNING };
const after: View = { ...FIRST_VIEW, turn: DONE };

class Shown {
  static permission: NotificationPermission = 'default';
  static answer: NotificationPermission = 'granted';
  static all: Shown[] = [];
  static refuses = false;
  onclick: (() => void) | null = null;
  close = vi.fn();
  constructor(
    readonly title: string,
    readonly options: NotificationOptions,
  ) {
    if (Shown.refuses) throw new TypeError('Illegal constructor');
    Shown.all.push(this);
  }
  static requestPermission(): Promise<NotificationPermission> {
    Shown.permission = Shown.answer;
    return Promise.resolve(Shown.answer);
  }
}

function hide(isHidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(isHidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

beforeEach(() => {
  localStorage.clear();
  Object.assign(Shown, { permission: 'default', answer: 'granted', all: [], refuses: false });
  vi.stubGlobal('Notification', Shown);
  vi.stubGlobal('isSecureContext', true);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('an answer ends once, and only one that was seen to run', () => {
  const ends = new Ends();

  expect(ends.next(after)).toBeNull(); // it had ended before
  expect(ends.next(during)).toBeNull();
  expect(ends.next(after)).toBe(DONE);
  expect(ends.next(after)).toBeNull();
});

test('what was stopped, or another conversation that is opened, is no end', () => {
  const ends = new Ends();

  ends.next(during);
  expect(ends.next({ ...after, turn: { ...DONE, state: 'stopped' } })).toBeNull();
  ends.next(during);
  expect(ends.next({ ...after, turn: { ...DONE, id: turn({ id: 8 }).id } })).toBeNull();
});

test('a browser says why it tells of nothing', () => {
  expect(telling()).toBe('off');
  Shown.permission = 'denied';
  expect(telling()).toBe('denied');
  vi.stubGlobal('isSecureContext', false);
  expect(telling()).toBe('insecure');
});

test('it is on once it is allowed and a first one could be shown, until it is off', async () => {
  Shown.refuses = true;
  expect(await turnOn('Couach', 'so')).toBe('missing');
  expect(telling()).toBe('off');
  Shown.refuses = false;
  Shown.answer = 'denied';
  expect(await turnOn('Couach', 'so')).toBe('denied');
  Shown.answer = 'granted';
  expect(await turnOn('Couach', 'so')).toBe('on');
  expect(Shown.all.map(({ options }) => options.body)).toEqual(['so']);
  expect(turnOff()).toBe('off');
});

test('an answer that ends out of sight marks the title and tells, without its text', async () => {
  await turnOn('Couach', 'so');
  const focus = vi.spyOn(window, 'focus').mockImplementation(() => undefined);
  const state = { mark: '' };
  const bound = {
    brand: 'Couach',
    get mark() {
      return state.mark;
    },
    set mark(value: string) {
      state.mark = value;
    },
  };
  const { rerender } = render(Away, Object.assign(bound, { view: during }));
  hide(true);
  await rerender({ view: after });

  expect(state.mark).toBe('● ');
  const told = Shown.all.at(-1);
  expect(told?.title).toBe('Couach');
  expect(told?.options.body).toBe('The answer is complete.');
  told?.onclick?.();
  expect(focus).toHaveBeenCalledOnce();

  hide(false);
  expect(state.mark).toBe('');
  await rerender({ view: during });
  await rerender({ view: after });
  expect(state.mark).toBe('');
  expect(Shown.all).toHaveLength(2); // the sample, and the one
});
