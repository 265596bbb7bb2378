// The part of a long branch that is drawn.
import { expect, test } from 'vitest';
import { atFirst, newest, withEarlier, withLater, withPlace } from './portion';

test('a short branch is drawn whole, of a long one the newest', () => {
  expect(newest(12)).toEqual({ start: 0, end: null });
  expect(newest(500)).toEqual({ start: 480, end: null });
  expect(atFirst(500)).toEqual({ start: 494, end: null });
});

test('more is drawn before it, down to the first', () => {
  expect(withEarlier(newest(500))).toEqual({ start: 450, end: null });
  expect(withEarlier(newest(40))).toEqual({ start: 0, end: null });
});

test('what was looked for is drawn with its neighbours, and neither all before nor all after', () => {
  const found = withPlace(newest(500), 100, 500);
  expect(found).toEqual({ start: 90, end: 120 });
  expect(withPlace(newest(500), 3, 500)).toEqual({ start: 0, end: 23 });
});

test('what is drawn already, or reaches the newest, goes on with what comes', () => {
  expect(withPlace(newest(500), 499, 500)).toEqual(newest(500));
  expect(withPlace(newest(500), 479, 490)).toEqual({ start: 469, end: null });
});

test('more is drawn after it, up to the newest', () => {
  expect(withLater({ start: 90, end: 120 }, 500)).toEqual({ start: 90, end: 150 });
  expect(withLater({ start: 90, end: 120 }, 150)).toEqual({ start: 90, end: null });
  expect(withLater(newest(500), 501)).toEqual(newest(500));
});
