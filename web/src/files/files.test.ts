import { beforeEach, expect, test, vi } from 'vitest';
import { Files } from './files.svelte';

const MOST = 3;

/** Requests that never end by themselves. */
const requests: StillRequest[] = [];

class StillRequest {
  readonly upload = {};
  onerror = (): void => undefined;

  constructor() {
    requests.push(this);
  }

  open(): void {}
  setRequestHeader(): void {}
  send(): void {}
  abort(): void {}
}

beforeEach(() => {
  requests.length = 0;
  sessionStorage.clear();
  vi.stubGlobal('XMLHttpRequest', StillRequest);
});

function given(): Files {
  return new Files(
    () => Promise.reject(new Error('nothing is asked')),
    '',
    1,
    () => null,
    MOST,
  );
}

function named(...names: readonly string[]): readonly File[] {
  return names.map((name) => new File(['x'], name, { type: 'text/plain' }));
}

const namesIn = (files: Files): readonly string[] => files.items.map(({ name }) => name);

test('of more files than fit the first are taken, and the others are named', () => {
  const files = given();

  expect(files.add(named('a', 'b', 'c', 'd', 'e'))).toBe(false);

  expect(namesIn(files)).toEqual(['a', 'b', 'c']);
  expect(files.leftOut).toEqual(['d', 'e']);
});

test('what had no room is told until files are given that have it, or all are gone', () => {
  const files = given();
  files.add(named('a', 'b', 'c', 'd'));

  files.remove(files.items[0]?.key ?? 0);
  expect(files.leftOut).toEqual(['d']);
  expect(files.add(named('d'))).toBe(true);
  expect(files.leftOut).toEqual([]);

  files.add(named('e'));
  expect(files.leftOut).toEqual(['e']);
  files.take();
  expect(files.leftOut).toEqual([]);
});

test('a file that was refused takes no room', async () => {
  const files = given();
  files.add(named('a', 'b', 'c'));
  await vi.waitFor(() => expect(requests).toHaveLength(MOST));

  requests[0]?.onerror();
  await vi.waitFor(() => expect(files.items[0]?.failure).not.toBeNull());

  expect(files.add(named('d'))).toBe(true);
});
