// The messages of docs/protocol.md, version 1, and the one place where text becomes a message.

import type {
  Choices,
  Conversation,
  ConversationId,
  Engine,
  Failure,
  Folder,
  Message,
  MessageId,
  Model,
  OwnUser,
  Position,
  Turn,
} from './shapes';

export type * from './requests';
export * from './shapes';

export const PROTOCOL = 1;

// --- from the server ------------------------------------------------------------------------

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly epoch: string;
  readonly user: OwnUser;
  readonly conversations: readonly Conversation[];
  readonly has_more: boolean;
  readonly folders: readonly Folder[];
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

export interface ConversationChanged {
  readonly type: 'conversation';
  readonly conversation: Conversation;
}

/** Others are chosen for a conversation: on another page, or on this one. */
export interface ChoicesChanged {
  readonly type: 'choices';
  readonly conversation: ConversationId;
  readonly choices: Choices;
}

/** Some were deleted for good: the whole list, as in `hello`. */
export interface ConversationsChanged {
  readonly type: 'conversations';
  readonly conversations: readonly Conversation[];
  readonly has_more: boolean;
}

/** One was made, renamed, removed or brought back: all of them. */
export interface FoldersChanged {
  readonly type: 'folders';
  readonly folders: readonly Folder[];
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

/** The person changed their name, or what they prefer. */
export interface UserChanged {
  readonly type: 'user';
  readonly user: OwnUser;
}

/** Some preset of one's own or of everybody's is another now, or gone. */
export interface PresetsChanged {
  readonly type: 'presets';
}

/** To everybody: some share may be another now, or none. */
export interface SharesChanged {
  readonly type: 'shares';
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
  | FoldersChanged
  | ChoicesChanged
  | PresetsChanged
  | EngineChanged
  | BannerChanged
  | BrandChanged
  | UserChanged
  | Overview
  | SharesChanged
  | Closing;

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
    Array.isArray(raw.folders) &&
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
  choices: (raw) => typeof raw.conversation === 'string' && isObject(raw.choices),
  conversations: (raw) => Array.isArray(raw.conversations),
  folders: (raw) => Array.isArray(raw.folders),
  engine: (raw) => isObject(raw.engine) && Array.isArray(raw.models),
  banner: (raw) =>
    raw.banner === null || (isObject(raw.banner) && typeof raw.banner.text === 'string'),
  brand: (raw) => isObject(raw.brand) && typeof raw.brand.name === 'string',
  user: (raw) => isObject(raw.user) && typeof raw.user.name === 'string',
  overview: (raw) => isObject(raw.status) || isObject(raw.error),
  presets: () => true,
  shares: () => true,
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
