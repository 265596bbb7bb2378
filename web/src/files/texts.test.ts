import { expect, test } from 'vitest';
import { sizeText } from './texts';

test.each([
  [1, '1 byte'],
  [2, '2 bytes'],
  [2048, '2 KB'],
])('a file of %d bytes is said to have %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
