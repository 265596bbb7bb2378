// The messages of docs/protocol.md, version 1, and the one place where text becomes a message.

export const PROTOCOL = 1;

export type ConversationId = string;
export type MessageId = number;
export type TurnId = number;
export type Fields = Readonly<Record<string, unknown>>;

export interface Position {
  readonly epoch: string;
  readonly n: number;
}

export interface User {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly role: 'admin' | 'member' | 'reader';
  readonly language: string;
}

export interface Conversation {
  readonly id: ConversationId;
  readonly kind: 'chat' | 'room';
  readonly title: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly is_pinned: boolean;
  readonly is_archived: boolean;
  /** When it went to the bin. */
  readonly deleted_at: string | null;
}

export interface Model {
  readonly name: string;
  readonly size_bytes: number | null;
  readonly family: string | null;
  readonly parameters: string | null;
  readonly quantization: string | null;
  readonly context_tokens: number | null;
  readonly abilities: readonly string[];
  readonly is_loaded: boolean;
  readonly is_broken: boolean;
  readonly is_quarantined: boolean;
}

/** What the watchdog says of the engine. */
export type Verdict =
  | 'starting'
  | 'ready'
  | 'busy'
  | 'slow'
  | 'loading'
  | 'thrashing'
  | 'suspect'
  | 'hung_idle'
  | 'hung_spin'
  | 'dead'
  | 'cancelling'
  | 'unloading'
  | 'backoff'
  | 'restarting'
  | 'failed'
  | 'unreachable'
  | 'stopped'
  | 'maintenance';

/** Held: the engine is well, and an administrator has paused the queue. */
export type EngineState = Verdict | 'held';

export type FailedReason =
  'budget_spent' | 'cannot_restart' | 'crash_loop' | 'port_taken' | 'restart_stuck';

export interface Engine {
  readonly kind: string;
  readonly is_up: boolean;
  readonly detail: string | null;
  readonly state: EngineState;
  /** Only where it failed. */
  readonly reason: FailedReason | null;
}

export interface Failure {
  readonly code: string;
  readonly fields: Fields;
}

export interface Timings {
  readonly prompt_tokens: number | null;
  readonly cached_tokens: number | null;
  readonly answer_tokens: number | null;
  readonly load_seconds: number | null;
  readonly read_seconds: number | null;
  readonly write_seconds: number | null;
  readonly tokens_per_second: number | null;
  readonly total_seconds: number | null;
}

export type TurnState =
  | 'queued'
  | 'loading'
  | 'reading'
  | 'thinking'
  | 'writing'
  | 'done'
  | 'stopped'
  | 'interrupted'
  | 'failed';

export interface Turn {
  readonly id: TurnId;
  readonly state: TurnState;
  readonly attempt: number;
  readonly model: string;
  readonly source: string;
  readonly place: number | null;
  /** While queued, where it can be told: from, to. */
  readonly wait_seconds: readonly [number, number] | null;
  /** Queued again because the engine did not answer; what is written stays until `rewrite`. */
  readonly is_healing: boolean;
  readonly read_tokens: number | null;
  readonly prompt_tokens: number | null;
  readonly queued_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly timings: Timings | null;
  readonly finish_reason: 'stop' | 'length' | null;
  readonly error: Failure | null;
}

export interface Message {
  readonly id: MessageId;
  readonly parent: MessageId | null;
  readonly author: 'person' | 'model';
  readonly author_id: number | null;
  readonly client_id: string | null;
  readonly text: string;
  readonly thinking: string;
  readonly created_at: string;
  readonly edited_at: string | null;
  readonly deleted_at: string | null;
  readonly turn: Turn | null;
}

// --- from the server ------------------------------------------------------------------------

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly epoch: string;
  readonly user: User;
  readonly conversations: readonly Conversation[];
  readonly models: readonly Model[];
  readonly default_model: string | null;
  readonly engine: Engine;
}

/** What an `ok` carries depends on the request: see `Answers`. */
export interface Ok {
  readonly type: 'ok';
  readonly id: number;
  readonly [name: string]: unknown;
}

export interface Refusal extends Failure {
  readonly type: 'error';
  readonly id: number | null;
}

export interface Snapshot {
  readonly type: 'snapshot';
  readonly conversation: ConversationId;
  readonly position: Position;
  readonly messages: readonly Message[];
}

interface Positioned {
  readonly conversation: ConversationId;
  readonly n: number;
}

export interface NewMessages extends Positioned {
  readonly type: 'messages';
  readonly messages: readonly Message[];
}

export interface TurnMoved extends Positioned {
  readonly type: 'turn';
  readonly message: MessageId;
  readonly turn: Turn;
}

export interface TextGrew extends Positioned {
  readonly type: 'text';
  readonly message: MessageId;
  readonly kind: 'text' | 'thinking';
  readonly d: string;
}

/** A new attempt begins to write: this replaces what the answer had. */
export interface TextRewritten extends Positioned {
  readonly type: 'rewrite';
  readonly message: MessageId;
  readonly text: string;
  readonly thinking: string;
}

/** A piece of a text that was found. */
export interface Part {
  readonly text: string;
  readonly is_hit: boolean;
}

export interface FoundTitle {
  readonly conversation: Conversation;
  readonly parts: readonly Part[];
}

export interface FoundMessage extends FoundTitle {
  readonly message: MessageId;
  readonly author: Message['author'];
  readonly created_at: string;
}

export interface Found {
  readonly titles: readonly FoundTitle[];
  readonly messages: readonly FoundMessage[];
  readonly has_more: boolean;
}

export interface ConversationChanged {
  readonly type: 'conversation';
  readonly conversation: Conversation;
}

/** Some were deleted for good: the whole list, as in `hello`. */
export interface ConversationsChanged {
  readonly type: 'conversations';
  readonly conversations: readonly Conversation[];
}

/** To everybody: the engine went down or came back, or has other models. */
export interface EngineChanged {
  readonly type: 'engine';
  readonly engine: Engine;
  readonly models: readonly Model[];
  readonly default_model: string | null;
}

/** What an administrator shows to everybody. */
export interface Banner {
  readonly text: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly until: string | null;
}

/** The company's, where it has them: `logo` is an address, empty for ours. */
export interface Brand {
  readonly name: string;
  readonly logo: string;
  readonly accent: string;
  readonly accent_dark: string;
}

export interface BrandChanged {
  readonly type: 'brand';
  readonly brand: Brand;
}

export interface BannerChanged {
  readonly type: 'banner';
  readonly banner: Banner | null;
}

/** To an administrator's page that watches, every 2 s; `error` where one of them failed. */
export interface Overview {
  readonly type: 'overview';
  readonly status?: object;
  readonly queue?: object;
  readonly error?: Failure;
}

export interface Closing {
  readonly type: 'closing';
  readonly reason: 'server_restarting' | 'signed_out';
}

export type ConversationEvent = Snapshot | NewMessages | TurnMoved | TextGrew | TextRewritten;
export type ServerMessage =
  | Hello
  | Ok
  | Refusal
  | ConversationEvent
  | ConversationChanged
  | ConversationsChanged
  | EngineChanged
  | BannerChanged
  | BrandChanged
  | Overview
  | Closing;

// --- from the browser -----------------------------------------------------------------------

/** The fields of each request, by verb. */
export interface Requests {
  'conversation.list': object;
  'conversation.watch': { conversation: ConversationId; position: Position | null };
  'conversation.unwatch': { conversation: ConversationId };
  'conversation.search': { text: string; before: MessageId | null };
  'conversation.archived': object;
  'conversation.bin': object;
  'conversation.rename': { conversation: ConversationId; title: string };
  'conversation.pin': { conversation: ConversationId; is_on: boolean };
  'conversation.archive': { conversation: ConversationId; is_on: boolean };
  'conversation.delete': { conversation: ConversationId };
  'conversation.restore': { conversation: ConversationId };
  'conversation.purge': { conversation: ConversationId };
  'chat.ask': {
    conversation: ConversationId | null;
    client_id: string;
    text: string;
    parent: MessageId | null;
    model: string | null;
  };
  'chat.stop': { turn: TurnId };
  'chat.regenerate': { message: MessageId; model: string | null };
  'chat.continue': { message: MessageId };
  'model.list': object;
  'admin.watch': object;
}

/** What the `ok` of each request carries. */
export interface Answers {
  'conversation.list': { conversations: readonly Conversation[] };
  'conversation.watch': { conversation: Conversation };
  'conversation.unwatch': object;
  'conversation.search': Found;
  'conversation.archived': { conversations: readonly Conversation[] };
  /** `days` that the bin keeps them; 0 is for ever. */
  'conversation.bin': { conversations: readonly Conversation[]; days: number };
  'conversation.rename': object;
  'conversation.pin': object;
  'conversation.archive': object;
  'conversation.delete': object;
  'conversation.restore': object;
  'conversation.purge': object;
  'chat.ask': { conversation: ConversationId; question: MessageId; answer: MessageId };
  'chat.stop': object;
  'chat.regenerate': { answer: MessageId };
  'chat.continue': { answer: MessageId };
  'model.list': { models: readonly Model[]; default: string | null };
  'admin.watch': object;
}

export type Verb = keyof Requests;

// --- text to message ------------------------------------------------------------------------

type Raw = Record<string, unknown>;
type Check = (raw: Raw) => boolean;

const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null;
const isMessage = (value: unknown): boolean => isObject(value) && typeof value.id === 'number';
const isPosition = (value: unknown): boolean => isObject(value) && typeof value.n === 'number';
const isPositioned: Check = (raw) =>
  typeof raw.conversation === 'string' && typeof raw.n === 'number';
const areMessages: Check = (raw) => Array.isArray(raw.messages) && raw.messages.every(isMessage);

// Cheap on purpose: the server is ours. What matters is that a foreign or newer shape is dropped
// here and does not become an exception in the middle of the page.
const CHECKS: Record<ServerMessage['type'], Check> = {
  hello: (raw) =>
    isObject(raw.user) &&
    isObject(raw.engine) &&
    Array.isArray(raw.conversations) &&
    Array.isArray(raw.models),
  ok: (raw) => typeof raw.id === 'number',
  error: (raw) => typeof raw.code === 'string' && isObject(raw.fields),
  snapshot: (raw) =>
    typeof raw.conversation === 'string' && isPosition(raw.position) && areMessages(raw),
  messages: (raw) => isPositioned(raw) && areMessages(raw),
  turn: (raw) => isPositioned(raw) && typeof raw.message === 'number' && isObject(raw.turn),
  text: (raw) => isPositioned(raw) && typeof raw.message === 'number' && typeof raw.d === 'string',
  rewrite: (raw) =>
    isPositioned(raw) &&
    typeof raw.message === 'number' &&
    typeof raw.text === 'string' &&
    typeof raw.thinking === 'string',
  conversation: (raw) => isObject(raw.conversation) && typeof raw.conversation.id === 'string',
  conversations: (raw) => Array.isArray(raw.conversations),
  engine: (raw) => isObject(raw.engine) && Array.isArray(raw.models),
  banner: (raw) =>
    raw.banner === null || (isObject(raw.banner) && typeof raw.banner.text === 'string'),
  brand: (raw) => isObject(raw.brand) && typeof raw.brand.name === 'string',
  overview: (raw) => isObject(raw.status) || isObject(raw.error),
  closing: (raw) => typeof raw.reason === 'string',
};

/** Returns the message, or null for what is not one of ours: such a message is ignored. */
export function decode(text: string): ServerMessage | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(raw) || typeof raw.type !== 'string' || !Object.hasOwn(CHECKS, raw.type)) {
    return null;
  }
  const check = CHECKS[raw.type as ServerMessage['type']];
  return check(raw) ? (raw as unknown as ServerMessage) : null;
}

const ENDS: ReadonlySet<TurnState> = new Set(['done', 'stopped', 'interrupted', 'failed']);

/** Says whether a turn has ended; an ended turn never moves again. */
export function isFinal(turn: Turn): boolean {
  return ENDS.has(turn.state);
}
