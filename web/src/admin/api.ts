// The operator's verbs, as the server passes them on to the control socket for an administrator.
import type { Failure } from '../chat/protocol';
import { RequestError } from '../chat/socket';
import { Forms } from '../forms';

export type Names = Readonly<Record<string, string | number>>;

export interface Call {
  readonly verb: string;
  /** What is in the verb's path, or in its query. */
  readonly names?: Names;
  readonly body?: object;
}

/** Every method rejects with a RequestError. */
export class Api {
  private readonly forms: Forms;

  constructor(...given: ConstructorParameters<typeof Forms>) {
    this.forms = new Forms(...given);
  }

  async call<T>({ verb, ...asked }: Call): Promise<T> {
    const response = await this.forms.send(`/admin/call/${verb}`, fields(asked));
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
      const response = await this.forms.send(
        `/admin/stream/${verb}`,
        fields(asked),
        leaving.signal,
      );
      for await (const line of lines(response)) {
        const event = JSON.parse(line) as T | Ended;
        if (isEnded(event)) throw this.forms.refusal(event.error);
        yield event;
      }
    } finally {
      leaving.abort();
    }
  }

  /** Types the password again; for some minutes dangerous actions are let through. */
  async confirm(password: string): Promise<void> {
    await this.forms.send('/admin/confirm', { password });
  }

  /** Downloads the file that a verb answers with. */
  download(verb: string, names: Names): void {
    this.forms.download(`/admin/file/${verb}`, fields({ names }));
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
