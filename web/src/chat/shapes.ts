// What the messages of docs/protocol.md carry: people, conversations, messages, turns, models.

export type ConversationId = string;
export type MessageId = number;
export type TurnId = number;
export type FolderId = number;
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

/** Who this page is for, with what they chose; '' is the browser's zone, the server's model. */
export interface OwnUser extends User {
  readonly zone: string;
  readonly model: string;
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
  /** One that is not among the folders has been removed: it is in none. */
  readonly folder: FolderId | null;
}

export interface Folder {
  readonly id: FolderId;
  readonly name: string;
}

/** Where the last conversation that the page has of a shelf stands: what follows is wanted. */
export interface Place {
  /** When it was changed; in the bin, deleted. */
  readonly at: string;
  readonly id: ConversationId;
  readonly is_pinned: boolean;
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

/** A file of a question; `part` is what of it is sent, counted from 1. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly kind: 'text' | 'html' | 'pdf' | 'docx' | 'xlsx' | 'odt' | 'image';
  readonly size_bytes: number;
  readonly is_cut: boolean;
  readonly part: FilePart | null;
}

export interface FilePart {
  readonly unit: 'page' | 'line' | 'character';
  readonly first: number;
  readonly last: number;
}

/** What is chosen for a conversation; null leaves it to the model's rules, then to the server. */
export interface Choices {
  readonly model: string | null;
  readonly system_prompt: string | null;
  readonly temperature: number | null;
  readonly answer_tokens: number | null;
  /** Sent at least; 0 is all that fit. */
  readonly exchanges: number | null;
  readonly think: boolean | null;
}

/** What using a model costs here; null where it is not known, or was never measured. */
export interface ModelFacts {
  readonly name: string;
  readonly memory_bytes: number | null;
  readonly fit: 'fits' | 'tight' | 'does_not_fit' | 'unknown';
  readonly tokens_per_second: number | null;
  readonly read_tokens_per_second: number | null;
  readonly load_seconds: number | null;
  readonly temperature: number;
  readonly answer_tokens: number;
  readonly exchanges: number;
}

/** What of a conversation the model is sent, from the question `first` on. */
export interface Sent {
  readonly exchanges: number;
  readonly first: MessageId | null;
  readonly tokens: number;
  readonly limit_tokens: number;
}

export interface TurnOptions {
  readonly temperature: number;
  readonly top_p: number | null;
  readonly answer_tokens: number;
  readonly exchanges: number;
  readonly think: boolean | null;
  readonly has_own_prompt: boolean;
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
  /** For how long it has thought, without a stage that still goes on; null where it has not. */
  readonly think_seconds: number | null;
  readonly timings: Timings | null;
  readonly finish_reason: 'stop' | 'length' | null;
  readonly options: TurnOptions | null;
  readonly sent: Sent | null;
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
  readonly attachments: readonly Attachment[];
  readonly rating: Rating | null;
}

/** A thumb up or down. */
export type RatingValue = 1 | -1;

/** What one thinks of an answer of one's own conversation. */
export interface Rating {
  readonly value: RatingValue;
  readonly word: string;
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

/** A file by its name, and the question that it went with. */
export interface FoundFile extends FoundTitle {
  readonly message: MessageId;
  readonly created_at: string;
}

export interface FoundMessage extends FoundFile {
  readonly author: Message['author'];
}

export interface Found {
  readonly titles: readonly FoundTitle[];
  readonly files: readonly FoundFile[];
  readonly messages: readonly FoundMessage[];
  readonly has_more: boolean;
}

const ENDS: ReadonlySet<TurnState> = new Set(['done', 'stopped', 'interrupted', 'failed']);

/** Says whether a turn has ended; an ended turn never moves again. */
export function isFinal(turn: Turn): boolean {
  return ENDS.has(turn.state);
}
