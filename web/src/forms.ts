// Forms of ours that a script sends, answered in JSON, or by a file.
import { signInAddress } from './chat/address';
import type { Failure } from './chat/protocol';
import { RequestError } from './chat/socket';

export type Fields = Readonly<Record<string, string>>;

export class Forms {
  constructor(
    private readonly csrf: string,
    private readonly fetcher: typeof fetch = fetch.bind(globalThis),
    /** For who is signed out by now, or may not do it any more: the server says which on the way. */
    private readonly leave = () => location.assign(signInAddress(location.pathname)),
  ) {}

  /** Returns the answer to a form that was taken. Rejects with a RequestError. */
  async send(address: string, fields: Fields, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetcher(address, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body: new URLSearchParams({ csrf: this.csrf, ...fields }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch {
      throw new RequestError('connection_lost');
    }
    if (response.ok) return response;
    throw this.refusal(await failureOf(response));
  }

  /** Asks for a file by a form, so that it goes straight to the disk. */
  download(address: string, fields: Fields): void {
    const form = document.createElement('form');
    form.method = 'post';
    form.action = address;
    for (const [name, value] of Object.entries({ csrf: this.csrf, ...fields })) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'hidden', name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
    form.remove();
  }

  refusal({ code, fields }: Failure): RequestError {
    if (code === 'not_allowed') this.leave();
    return new RequestError(code, fields);
  }
}

async function failureOf(response: Response): Promise<Failure> {
  try {
    return ((await response.json()) as { error: Failure }).error;
  } catch {
    return { code: 'internal_error', fields: {} };
  }
}
