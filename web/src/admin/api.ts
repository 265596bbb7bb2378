// The operator's verbs, as the server passes them on to the control socket for an administrator.
import { signInAddress } from '../chat/address';
import type { Failure } from '../chat/protocol';
import { RequestError } from '../chat/socket';

export type Names = Readonly<Record<string, string | number>>;

export interface Call {
  readonly verb: string;
  /** What is in the verb's path, or in its query. */
  readonly names?: Names;
  readonly body?: object;
}

/** Every method rejects with a RequestError. */
export class Api {
  constructor(
    private readonly csrf: string,
    private readonly fetcher: typeof fetch = fetch.bind(globalThis),
    /** For who is signed out by now, or no administrator: the server says which on the way. */
    private readonly leave = () => location.assign(signInAddress(location.pathname)),
  ) {}

  async call<T>({ verb, ...asked }: Call): Promise<T> {
    const response = await this.post(`call/${verb}`, fields(asked));
    return (await response.json()) as T;
  }

  /**
   * Yields the events of a verb that streams; breaking off ends the work on the server. While none
   * comes, only aborting `leaving` does.
   */
  async *stream<T extends object>(
    { verb, ...asked }: Call,
    leaving = new AbortController(),
  ): AsyncGenerator<T> {
    try {
      const response = await this.post(`stream/${verb}`, fields(asked), leaving.signal);
      for await (const line of lines(response)) {
        const event = JSON.parse(line) as T | Ended;
        if (isEnded(event)) throw this.refusal(event.error);
        yield event;
      }
    } finally {
      leaving.abort();
    }
  }

  /** Types the password again; for some minutes dangerous actions are let through. */
  async confirm(password: string): Promise<void> {
    await this.post('confirm', { password });
  }

  /** Downloads the file that a verb answers with: by a form, so that it goes straight to the disk. */
  download(verb: string, names: Names): void {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = `/admin/file/${verb}`;
    for (const [name, value] of Object.entries({ csrf: this.csrf, ...fields({ names }) })) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
    form.remove();
  }

  private async post(
    path: string,
    form: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetcher(`/admin/${path}`, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body: new URLSearchParams({ csrf: this.csrf, ...form }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch {
      throw new RequestError('connection_lost');
    }
    if (response.ok) return response;
    throw this.refusal(await failureOf(response));
  }

  private refusal({ code, fields }: Failure): RequestError {
    if (code === 'not_allowed') this.leave();
    return new RequestError(code, fields);
  }
}

/** The last line of a stream that failed after its beginning. */
interface Ended {
  readonly type: 'error';
  readonly error: Failure;
}

function isEnded(event: object): event is Ended {
  return 'type' in event && event.type === 'error' && 'error' in event;
}

function fields({ names, body }: Omit<Call, 'verb'>): Record<string, string> {
  return {
    ...(names === undefined ? {} : { names: JSON.stringify(names) }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

async function failureOf(response: Response): Promise<Failure> {
  try {
    return ((await response.json()) as { error: Failure }).error;
  } catch {
    return { code: 'internal_error', fields: {} };
  }
}

async function* lines(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const read = await reader?.read().catch(() => {
      throw new RequestError('connection_lost');
    });
    if (read === undefined || read.done) break;
    const parts = (rest + read.value).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((part) => part !== '');
  }
  if (rest !== '') yield rest;
}
