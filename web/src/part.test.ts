import { expect, test, vi } from 'vitest';
import { isPartMissing, Part } from './part.svelte';

test('a part is fetched once, however often it is asked for', async () => {
  const fetch = vi.fn(() => Promise.resolve('here'));
  const part = new Part(fetch);

  expect(part.now).toBeUndefined();
  expect(await Promise.all([part.load(), part.load()])).toEqual(['here', 'here']);
  expect(part.now).toBe('here');
  expect(await part.load()).toBe('here');
  expect(fetch).toHaveBeenCalledOnce();
});

test('a part that cannot be had is missing until it is fetched after all', async () => {
  const fetch = vi.fn<() => Promise<string>>().mockRejectedValue(new TypeError('404'));
  const [part, other] = [new Part(fetch), new Part(() => Promise.resolve(''))];

  expect(await part.load()).toBeUndefined();
  expect(await part.load()).toBeUndefined();
  await other.load();
  expect(isPartMissing()).toBe(true);

  fetch.mockResolvedValue('here');
  expect(await part.load()).toBe('here');
  expect(isPartMissing()).toBe(false);
});
