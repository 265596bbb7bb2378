// The tab's one WebSocket: requests with answers, and coming back after a loss.
import type { Answers, Ok, Refusal, Requests, ServerMessage, Verb } from './protocol';
import { decode } from './protocol';

/** What is used of a WebSocket, so that tests can bring their own. */
export type SocketLike = Pick<WebSocket, 'onmessage' | 'onclose' | 'send' | 'close'>;

/** `ended` is for good: the session is over, or this is not the server's own page. */
export type Status = 'connecting' | 'open' | 'waiting' | 'ended';
export type End = 'signed_out' | 'foreign_origin';

/** A request that was refused, or that lost its connection (`connection_lost`). */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    readonly fields: Readonly<Record<string, unknown>> = {},
  ) {
    super(code);
  }
}

export interface ConnectionOptions {
  open: () => SocketLike;
  onmessage: (message: Exclude<ServerMessage, Ok | Refusal>) => void;
  onstatus: (status: Status) => void;
  onend: (end: End) => void;
  random?: () => number;
}

interface Waiting {
  resolve: (answer: Ok) => void;
  reject: (error: RequestError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const SHORTEST_SECONDS = 0.2;
const LONGEST_SECONDS = 10;
const ANSWER_SECONDS = 30; // nothing we ask takes long: silence means a dead connection
const RESTART_SPREAD_SECONDS = 2; // all come back from a restart at once, and none has to be first
const CLOSED_ABNORMALLY = 1006;
const CLOSED_RESTARTING = 1012;
const CLOSED_SIGNED_OUT = 4401;
const CLOSED_FOREIGN_ORIGIN = 4403;

/** Returns how long to wait before the try number `failures`, so that a crowd spreads out. */
export function pauseSeconds(failures: number, random: () => number, isRestart = false): number {
  const spread = isRestart ? RESTART_SPREAD_SECONDS : 2 * SHORTEST_SECONDS * 2 ** failures;
  const most = Math.min(LONGEST_SECONDS, spread);
  return SHORTEST_SECONDS + random() * (most - SHORTEST_SECONDS);
}

export class Connection {
  private socket: SocketLike | null = null;
  private failures = 0;
  private lastId = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private current: Status = 'waiting';

  constructor(private readonly options: ConnectionOptions) {}

  get status(): Status {
    return this.current;
  }

  /** Connects now, if not connected: at start, and when the browser says it is online again. */
  connect(): void {
    if (this.socket !== null || this.current === 'ended') return;
    clearTimeout(this.retry);
    this.become('connecting');
    const socket = this.options.open();
    this.socket = socket;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') this.receive(data);
    };
    socket.onclose = ({ code }) => this.lost(code);
  }

  /** Sends a request. Rejects with a RequestError. */
  request<V extends Verb>(verb: V, fields: Requests[V]): Promise<Answers[V]> {
    const { socket } = this;
    if (socket === null || this.current !== 'open') {
      return Promise.reject(new RequestError('connection_lost'));
    }
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.drop(), ANSWER_SECONDS * 1000);
      const take = (answer: Ok): void => resolve(answer as unknown as Answers[V]);
      this.waiting.set(id, { resolve: take, reject, timer });
      socket.send(JSON.stringify({ type: verb, id, ...fields }));
    });
  }

  /** Closes for good, without a word to anybody. */
  close(): void {
    this.become('ended');
    clearTimeout(this.retry);
    const { socket } = this;
    if (socket === null) return;
    this.socket = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  /** Gives up a connection that no longer answers; its own closing could take minutes. */
  private drop(): void {
    const { socket } = this;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
    this.lost(CLOSED_ABNORMALLY);
  }

  private receive(text: string): void {
    const message = decode(text);
    if (message === null) return;
    if (message.type === 'ok' || message.type === 'error') {
      this.settle(message);
      return;
    }
    if (message.type === 'hello') {
      this.failures = 0;
      this.become('open');
    }
    this.options.onmessage(message);
  }

  private settle(answer: Ok | Refusal): void {
    if (answer.id === null) return;
    const waiting = this.waiting.get(answer.id);
    if (waiting === undefined) return;
    this.waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if (answer.type === 'ok') waiting.resolve(answer);
    else waiting.reject(new RequestError(answer.code, answer.fields));
  }

  private lost(code: number): void {
    this.socket = null;
    const cut = [...this.waiting.values()];
    this.waiting.clear();
    if (code === CLOSED_SIGNED_OUT || code === CLOSED_FOREIGN_ORIGIN) {
      this.become('ended');
      this.options.onend(code === CLOSED_SIGNED_OUT ? 'signed_out' : 'foreign_origin');
    } else if (this.current !== 'ended') {
      this.become('waiting');
      const random = this.options.random ?? Math.random;
      const pause = pauseSeconds(this.failures++, random, code === CLOSED_RESTARTING);
      this.retry = setTimeout(() => this.connect(), pause * 1000);
    }
    for (const { reject, timer } of cut) {
      clearTimeout(timer);
      reject(new RequestError('connection_lost'));
    }
  }

  private become(status: Status): void {
    if (status === this.current) return;
    this.current = status;
    this.options.onstatus(status);
  }
}
