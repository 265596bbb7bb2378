// What the tests of the chat share: the protocol's fixtures, small messages, a socket of their own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Acting } from './acts/acting';
import type { Message, ServerMessage, Turn } from './protocol';
import { decode } from './protocol';
import type { SocketLike } from './socket';
import type { View } from './view';
import { FIRST_VIEW } from './view';

const FIXTURES = join(import.meta.dirname, '../../../tests/fixtures');

export function fixtureText(name: string): string {
  return readFileSync(join(FIXTURES, name), 'utf-8');
}

/** Returns the protocol's example of a message from the server. */
export function example<T extends ServerMessage['type']>(
  type: T,
): Extract<ServerMessage, { type: T }> {
  return decode(fixtureText(`protocol/${type}.json`)) as Extract<ServerMessage, { type: T }>;
}

export function turn(change: Partial<Turn> = {}): Turn {
  return {
    id: 1,
    state: 'queued',
    attempt: 1,
    model: 'small',
    source: 'chat',
    place: 0,
    wait_seconds: null,
    is_healing: false,
    read_tokens: null,
    prompt_tokens: null,
    queued_at: '2026-11-23T08:00:00Z',
    started_at: null,
    finished_at: null,
    think_seconds: null,
    timings: null,
    finish_reason: null,
    options: null,
    sent: null,
    error: null,
    ...change,
  };
}

export function message(id: number, change: Partial<Message> = {}): Message {
  return {
    id,
    parent: null,
    author: 'person',
    author_id: 7,
    client_id: null,
    text: '',
    thinking: '',
    created_at: '2026-11-23T08:00:00Z',
    edited_at: null,
    deleted_at: null,
    attachments: [],
    turn: null,
    rating: null,
    ...change,
  };
}

export function answer(id: number, parent: number, change: Partial<Message> = {}): Message {
  return message(id, { parent, author: 'model', author_id: null, turn: turn(), ...change });
}

/** A WebSocket that the test speaks for. */
export class FakeSocket implements SocketLike {
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  isClosed = false;
  readonly sent: Record<string, unknown>[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.isClosed = true;
  }

  says(value: object): void {
    this.onmessage?.call(this as never, { data: JSON.stringify(value) } as MessageEvent);
  }

  drops(code = 1006): void {
    this.onclose?.call(this as never, { code } as CloseEvent);
  }

  /** The newest request of a verb. */
  request(verb: string): Record<string, unknown> | undefined {
    return this.sent.findLast(({ type }) => type === verb);
  }

  accepts(verb: string, fields: object = {}): void {
    this.says({ type: 'ok', id: this.request(verb)?.id, ...fields });
  }

  refuses(verb: string, code: string, fields: object = {}): void {
    this.says({ type: 'error', id: this.request(verb)?.id, code, fields });
  }
}

/** What a page shows that is connected, with something changed. */
export function viewWith(change: Partial<View> = {}): View {
  return { ...FIRST_VIEW, status: 'open', models: example('hello').models, ...change };
}

/** What the tools of a message are given, with something changed. */
export function actingWith(change: Partial<Acting> = {}): Acting {
  return {
    view: viewWith(),
    language: 'en',
    isAdmin: false,
    user: 7,
    canWrite: true,
    regenerate: () => undefined,
    proceed: () => undefined,
    ask: () => Promise.resolve(),
    rate: () => Promise.resolve(),
    walk: () => undefined,
    ...change,
  };
}
