// The way back from the pages beside the chat.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { leadBack } from './back';

function backFrom(referrer: string): string {
  vi.spyOn(document, 'referrer', 'get').mockReturnValue(referrer);
  const link = document.createElement('a');
  leadBack(link);
  return new URL(link.href).pathname;
}

beforeEach(() => sessionStorage.clear());
afterEach(() => vi.restoreAllMocks());

test('it leads to the conversation that one came from, also by way of another page', () => {
  expect(backFrom(`${location.origin}/c/AAAABBBBCCCCDDDD`)).toBe('/c/AAAABBBBCCCCDDDD');
  expect(backFrom(`${location.origin}/profile`)).toBe('/c/AAAABBBBCCCCDDDD');
  expect(backFrom(`${location.origin}/`)).toBe('/');
});

test('it leads to the chat from anywhere else', () => {
  expect(backFrom('')).toBe('/');
  expect(backFrom('https://elsewhere.test/c/AAAABBBBCCCCDDDD')).toBe('/');
});
