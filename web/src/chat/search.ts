// Searching as one types: one request at a time matters, and only the newest answer is shown.
import type { Failure, Found, MessageId } from './protocol';
import { RequestError } from './socket';

export interface SearchView {
  /** What was typed; what is found below may still be that of a few letters less. */
  readonly text: string;
  readonly found: Found | null;
  readonly isWaiting: boolean;
  readonly failure: Failure | null;
}

export const NOTHING_TYPED: SearchView = {
  text: '',
  found: null,
  isWaiting: false,
  failure: null,
};

export type Search = (text: string, before: MessageId | null) => Promise<Found>;

// Somebody who types is not asked at each letter; the answer itself takes some 20 ms.
const REST_MS = 120;

export class Searcher {
  private view = NOTHING_TYPED;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private newest = 0;

  constructor(
    private readonly search: Search,
    private readonly onview: (view: SearchView) => void,
  ) {}

  /** Looks for this text once the typing rests; nothing but blanks ends the search. */
  type(text: string): void {
    clearTimeout(this.timer);
    this.newest += 1; // what is under way comes too late
    if (text.trim() === '') {
      this.show({ ...NOTHING_TYPED, text });
      return;
    }
    this.show({ text, isWaiting: true });
    this.timer = setTimeout(() => void this.ask(null), REST_MS);
  }

  /** Asks again what was refused. */
  again(): void {
    this.show({ isWaiting: true, failure: null });
    void this.ask(null);
  }

  /** Adds the messages older than those found. */
  async more(): Promise<void> {
    const last = this.view.found?.messages.at(-1);
    if (last === undefined || this.view.isWaiting) return;
    this.show({ isWaiting: true });
    await this.ask(last.message);
  }

  private async ask(before: MessageId | null): Promise<void> {
    this.newest += 1;
    const mine = this.newest;
    try {
      const fresh = await this.search(this.view.text, before);
      if (mine !== this.newest) return;
      const known = before === null ? null : this.view.found;
      const found = known === null ? fresh : joined(known, fresh);
      this.show({ found, isWaiting: false, failure: null });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (mine !== this.newest) return;
      this.show({ isWaiting: false, failure: { code: error.code, fields: error.fields } });
    }
  }

  private show(change: Partial<SearchView>): void {
    this.view = { ...this.view, ...change };
    this.onview(this.view);
  }
}

function joined(known: Found, older: Found): Found {
  return { ...known, messages: [...known.messages, ...older.messages], has_more: older.has_more };
}
