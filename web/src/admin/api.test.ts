// How the page asks for a verb, and what it makes of each answer.
import { expect, test, vi } from 'vitest';
import { RequestError } from '../chat/socket';
import { Api } from './api';

interface Made {
  api: Api;
  asked: () => [string, URLSearchParams];
  leave: () => void;
}

function api(response: Response | Error): Made {
  const fetcher = vi.fn<typeof fetch>(() =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
  const leave = vi.fn();
  return {
    leave,
    api: new Api('token', fetcher, leave),
    asked: () => {
      const [address, options] = fetcher.mock.calls[0] ?? [];
      return [address as string, options?.body as URLSearchParams];
    },
  };
}

const refusal = (code: string, status: number): Response =>
  Response.json({ error: { code, fields: { n: 1 } } }, { status });

test('a verb is asked for with the token, its names and its body', async () => {
  const made = api(Response.json({ turn: 7 }));

  const answer = await made.api.call({ verb: 'control.x', names: { turn: 7 }, body: { a: true } });

  const [address, form] = made.asked();
  expect(answer).toEqual({ turn: 7 });
  expect(address).toBe('/admin/call/control.x');
  expect(Object.fromEntries(form)).toEqual({
    csrf: 'token',
    names: '{"turn":7}',
    body: '{"a":true}',
  });
});

test('a refusal is thrown with its code and fields', async () => {
  const { api: refused } = api(refusal('engine_busy', 503));

  await expect(refused.call({ verb: 'control.x' })).rejects.toMatchObject({
    code: 'engine_busy',
    fields: { n: 1 },
  });
});

test('who may not any more is led away, and nobody else', async () => {
  const busy = api(refusal('engine_busy', 503));
  await expect(busy.api.call({ verb: 'control.x' })).rejects.toThrow();
  expect(busy.leave).not.toHaveBeenCalled();

  const out = api(refusal('not_allowed', 403));
  await expect(out.api.call({ verb: 'control.x' })).rejects.toThrow();
  expect(out.leave).toHaveBeenCalledOnce();
});

test('an answer that is no answer of ours is a fault of the server', async () => {
  const { api: broken } = api(new Response('<html>', { status: 502 }));

  await expect(broken.call({ verb: 'control.x' })).rejects.toMatchObject({
    code: 'internal_error',
  });
});

test('without a server it says that the connection was lost', async () => {
  const { api: alone } = api(new TypeError('fetch failed'));

  const failure = await alone.confirm('secret').catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(RequestError);
  expect(failure).toMatchObject({ code: 'connection_lost' });
});

test('a stream yields each line, however the bytes are cut', async () => {
  const bytes = new TextEncoder().encode('{"n":1}\n{"n":"é"}\n{"n":3}');
  const parts = [bytes.slice(0, 3), bytes.slice(3, 15), bytes.slice(15, 16), bytes.slice(16)];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  const { api: streaming } = api(new Response(body));

  const found = [];
  for await (const event of streaming.stream<{ n: unknown }>({ verb: 'control.x' })) {
    found.push(event.n);
  }

  expect(found).toEqual([1, 'é', 3]);
});

test('a stream that fails after its beginning throws at its last line', async () => {
  const lines = '{"type":"progress"}\n{"type":"error","error":{"code":"store_full","fields":{}}}\n';
  const { api: streaming } = api(new Response(lines));
  const events = streaming.stream({ verb: 'control.x' });

  expect((await events.next()).value).toEqual({ type: 'progress' });
  await expect(events.next()).rejects.toMatchObject({ code: 'store_full' });
});
