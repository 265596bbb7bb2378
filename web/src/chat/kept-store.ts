// What one keeps on the server, one's own or shared, over HTTP: the profile page has no socket.
import type { Failure } from './protocol';
import { RequestError } from './socket';

type Form = Readonly<Record<string, string>>;

export class KeptStore {
  constructor(
    private readonly path: string,
    private readonly csrf: string,
    private readonly fetcher: typeof fetch = fetch.bind(globalThis),
  ) {}

  /** Asks for what is below the path; a form is sent there. Rejects with a RequestError. */
  protected async asked<T>(what: string, form?: Form): Promise<T> {
    let response: Response;
    try {
      response = await this.fetcher(`${this.path}${what}`, {
        headers: { Accept: 'application/json' },
        ...(form === undefined
          ? {}
          : { method: 'POST', body: new URLSearchParams({ csrf: this.csrf, ...form }) }),
      });
    } catch {
      throw new RequestError('connection_lost');
    }
    if (response.redirected) throw new RequestError('form_expired'); // to the log-in
    const answer: unknown = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer as T;
    const { code, fields } = (answer as { error?: Failure } | null)?.error ?? {
      code: 'internal_error',
      fields: {},
    };
    throw new RequestError(code, fields);
  }
}

/** Returns how a form says whose the thing is. */
export const sharedField = (isShared: boolean): string => (isShared ? '1' : '');
