// Lines of a log: which are shown, what is kept, and how a stream comes back by itself.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RequestError } from '../chat/socket';
import { fitting, follow, joined, KEPT, type LogEvent } from './logs';

const LINES = [
  '2026-01-01T00:00:00+00:00 INFO couachgptd.daemon: ready',
  '2026-01-01T00:00:01+00:00 ERROR couachgptd.http: failed\nTraceback',
  'a line of somebody else',
];

test.each([
  ['DEBUG', '', [0, 1, 2]],
  ['WARNING', '', [1, 2]],
  ['DEBUG', ' TRACE ', [1]],
  ['WARNING', 'ready', []],
] as const)('from %s on with %j', (level, text, numbers) => {
  expect(fitting(LINES, level, text)).toEqual(numbers.map((number) => LINES[number]));
});

test('what is told again after a loss is kept once', () => {
  expect(joined(['a', 'b', 'c'], ['b', 'c', 'd'])).toEqual(['a', 'b', 'c', 'd']);
  expect(joined(['a', 'b'], ['x', 'y'])).toEqual(['a', 'b', 'x', 'y']);
  expect(joined([], ['x'])).toEqual(['x']);
});

test('no more than the newest lines are kept', () => {
  const many = Array.from({ length: KEPT }, (_, index) => String(index));

  expect(joined(many, ['new'])).toEqual([...many.slice(1), 'new']);
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Streams that a test speaks for, one at each opening. */
function log(): {
  told: string[];
  opened: { say: (event: LogEvent) => void; lose: (code: string) => void; isLeft: boolean }[];
  end: () => void;
} {
  const told: string[] = [];
  const opened: ReturnType<typeof log>['opened'] = [];

  const end = follow(
    (leaving) => {
      const body = new TransformStream<LogEvent, LogEvent>({}, {}, { highWaterMark: 100 });
      const writer = body.writable.getWriter();
      const one = {
        say: (event: LogEvent) => void writer.write(event),
        lose: (code: string) => void writer.abort(new RequestError(code)).catch(() => undefined),
        isLeft: false,
      };
      leaving.signal.addEventListener('abort', () => {
        one.isLeft = true;
        one.lose('connection_lost');
      });
      opened.push(one);
      const reader = body.readable.getReader();
      return (async function* () {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return;
          yield value;
        }
      })();
    },
    {
      onbefore: (lines) => told.push(`before ${lines.join()}`),
      onlines: (lines) => told.push(lines.join()),
      onaway: (isAway) => told.push(isAway ? 'away' : 'there'),
      onend: (thrown) => told.push(`ended ${(thrown as RequestError).code}`),
    },
  );
  return { told, opened, end };
}

const settle = (ms = 150): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

test('lines that come together are told together, after those that were there', async () => {
  const { told, opened, end } = log();
  opened[0]?.say({ type: 'line', text: 'a' });
  opened[0]?.say({ type: 'line', text: 'b' });
  opened[0]?.say({ type: 'now' });
  opened[0]?.say({ type: 'line', text: 'c' });
  opened[0]?.say({ type: 'line', text: 'd' });
  await settle();

  end();

  expect(told).toEqual(['before a,b', 'there', 'c,d']);
  expect(opened[0]?.isLeft).toBe(true);
});

test('a stream that is lost comes back', async () => {
  const { told, opened, end } = log();
  opened[0]?.say({ type: 'now' });
  await settle();
  opened[0]?.lose('server_stopping');
  await settle(20_000);
  opened.at(-1)?.say({ type: 'now' });
  await settle();
  end();

  expect(opened.length).toBeGreaterThan(1);
  expect(told.slice(0, 3)).toEqual(['before ', 'there', 'away']);
  expect(told.slice(-2)).toEqual(['before ', 'there']);
});

test('one that is refused does not', async () => {
  const { told, opened } = log();
  opened[0]?.lose('not_allowed');
  await settle(60_000);

  expect([told, opened.length]).toEqual([['ended not_allowed'], 1]);
});

test('nothing is asked for while nobody looks', async () => {
  const { opened, end } = log();
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  document.dispatchEvent(new Event('visibilitychange'));
  await settle(60_000);
  expect([opened.length, opened[0]?.isLeft]).toEqual([1, true]);

  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event('visibilitychange'));
  expect(opened.length).toBe(2);
  hidden.mockRestore();
  end();
});
