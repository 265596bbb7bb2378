import { expect, test } from 'vitest';
import { leftOutText, sizeText } from './texts';

test.each([
  [1, '1 byte'],
  [2, '2 bytes'],
  [2048, '2 KB'],
])('a file of %d bytes is said to have %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each([
  [['a', 'b', 'c'], 'Not attached: a, b, c.'],
  [['a', 'b', 'c', 'd'], 'Not attached: a, b, c and 1 other.'],
  [['a', 'b', 'c', 'd', 'e'], 'Not attached: a, b, c and 2 others.'],
])('of the files %j that are not attached the first are named', (names, text) => {
  expect(leftOutText(names).replace(/[\u2068\u2069]/g, '')).toBe(text);
});
