// What a browser may ask over the socket, and what each answer carries, by verb.
import type {
  Attachment,
  Choices,
  Conversation,
  ConversationId,
  FolderId,
  FilePart,
  Found,
  MessageId,
  Model,
  Place,
  ModelFacts,
  Position,
  RatingValue,
  Sent,
  TurnId,
} from './shapes';
import type { Colleague, Share, Shared } from './sharing';

/** The fields of each request, by verb. */
export interface Requests {
  'conversation.list': { before: Place | null; folder: FolderId | null };
  'conversation.watch': { conversation: ConversationId; position: Position | null };
  'conversation.unwatch': { conversation: ConversationId };
  'conversation.search': { text: string; before: MessageId | null };
  'conversation.archived': { before: Place | null };
  'conversation.bin': { before: Place | null };
  'conversation.rename': { conversation: ConversationId; title: string };
  'conversation.pin': { conversation: ConversationId; is_on: boolean };
  'conversation.archive': { conversation: ConversationId; is_on: boolean };
  'conversation.delete': { conversation: ConversationId };
  'conversation.restore': { conversation: ConversationId };
  'conversation.purge': { conversation: ConversationId };
  'conversation.empty_bin': { until: string };
  'conversation.move': { conversation: ConversationId; folder: FolderId | null };
  'folder.add': { name: string };
  'folder.rename': { folder: FolderId; name: string };
  'folder.remove': { folder: FolderId };
  'folder.restore': { folder: FolderId };
  'conversation.choices': { conversation: ConversationId };
  'conversation.choose': { conversation: ConversationId; choices: Choices };
  'share.show': { conversation: ConversationId };
  'share.people': { text: string };
  'share.add': { conversation: ConversationId; login: string; leaf: MessageId | null };
  'share.renew': { conversation: ConversationId; leaf: MessageId | null };
  'share.remove': { conversation: ConversationId; login: string | null };
  'share.list': object;
  'share.open': { share: string };
  'share.fork': { share: string };
  'chat.ask': {
    conversation: ConversationId | null;
    client_id: string;
    text: string;
    parent: MessageId | null;
    /** The question that this one is written instead of, beside it. */
    edits: MessageId | null;
    model: string | null;
    attachments?: readonly string[] | null;
    /** Of a new conversation; what is not named is not chosen. */
    choices: Partial<Choices> | null;
  };
  'attachment.show': { attachment: string };
  'attachment.cost': { attachments: readonly string[]; text: string; model: string | null };
  'attachment.part': { attachment: string; part: FilePart | null };
  'attachment.remove': { attachment: string };
  'chat.stop': { turn: TurnId };
  'chat.regenerate': { message: MessageId; model: string | null };
  'chat.continue': { message: MessageId };
  'chat.rate': { message: MessageId; value: RatingValue | null; word: string };
  'chat.preview': {
    conversation: ConversationId | null;
    parent: MessageId | null;
    choices: Choices | null;
  };
  'model.list': object;
  'model.facts': object;
  'admin.watch': object;
}

/** The newest conversations of a shelf after a place. */
export interface Page {
  readonly conversations: readonly Conversation[];
  readonly has_more: boolean;
}

/** What was read of a file; `pages` is 0 where there are none. */
export interface Shown {
  readonly attachment: Attachment;
  readonly text: string;
  readonly is_whole: boolean;
  readonly characters: number;
  readonly lines: number;
  readonly pages: number;
}

/** About how many tokens each file takes, and how many one question may take in all. */
export interface Cost {
  readonly model: string;
  readonly tokens: Readonly<Record<string, number>>;
  readonly question_tokens: number;
  readonly room_tokens: number;
  readonly sees: boolean;
}

/** What the `ok` of each request carries. */
export interface Answers {
  'conversation.list': Page;
  'conversation.watch': { conversation: Conversation };
  'conversation.unwatch': object;
  'conversation.search': Found;
  'conversation.archived': Page;
  /** `days` that the bin keeps them; 0 is for ever. */
  'conversation.bin': Page & { count: number; days: number };
  'conversation.rename': object;
  'conversation.pin': object;
  'conversation.archive': object;
  'conversation.delete': object;
  'conversation.restore': object;
  'conversation.purge': object;
  'conversation.empty_bin': { count: number };
  'conversation.move': object;
  'folder.add': { folder: FolderId };
  'folder.rename': object;
  'folder.remove': object;
  'folder.restore': object;
  'conversation.choices': { choices: Choices };
  'conversation.choose': object;
  'share.show': { share: Share | null };
  'share.people': { people: readonly Colleague[] };
  'share.add': { share: Share };
  'share.renew': { share: Share };
  'share.remove': { share: Share | null };
  'share.list': { shared: readonly Shared[] };
  'share.open': { shared: Shared };
  'share.fork': { conversation: Conversation };
  'chat.ask': { conversation: ConversationId; question: MessageId; answer: MessageId };
  'attachment.show': Shown;
  'attachment.cost': Cost;
  'attachment.part': { attachment: Attachment };
  'attachment.remove': object;
  'chat.stop': object;
  'chat.regenerate': { answer: MessageId };
  'chat.continue': { answer: MessageId };
  'chat.rate': object;
  'chat.preview': Sent & { answer_tokens: number };
  'model.facts': { facts: readonly ModelFacts[] };
  'model.list': { models: readonly Model[]; default: string | null };
  'admin.watch': object;
}

export type Verb = keyof Requests;
