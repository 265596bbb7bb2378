// What the chat page shows, as one immutable value.
import type { Shown } from './branches';
import { NOTHING } from './branches';
import type { ConversationState } from './conversation';
import { newestTurn } from './conversation';
import type {
  Banner,
  Brand,
  ChoicesChanged,
  Conversation,
  ConversationId,
  Engine,
  Failure,
  Folder,
  FolderId,
  MessageId,
  Model,
  OwnUser,
  PresetsChanged,
  Requests,
  ServerMessage,
  Turn,
} from './protocol';
import { isFinal } from './protocol';
import type { End, Status } from './socket';

/** A question on its way: shown at once, and sent again if the connection was lost. */
export type Pending = Readonly<Requests['chat.ask']>;

export interface View {
  readonly status: Status;
  readonly end: End | null;
  readonly isRestarting: boolean;
  readonly engine: Engine | null;
  readonly banner: Banner | null;
  /** What it is now; null where it is what the page came with. */
  readonly brand: Brand | null;
  /** Who they are by now; null where that is what the page came with. */
  readonly user: OwnUser | null;
  readonly models: readonly Model[];
  readonly defaultModel: string | null;
  readonly conversations: readonly Conversation[];
  /** Whether there are older ones than these. */
  readonly hasOlder: boolean;
  /** The folders of which there are no older ones all the same. */
  readonly whole: ReadonlySet<FolderId>;
  readonly folders: readonly Folder[];
  /** The open conversation; null is a new one. */
  readonly current: ConversationId | null;
  /** What is known of the open conversation, on whatever shelf it is. */
  readonly opened: Conversation | null;
  /** What was last told to be chosen for a conversation, whichever that is. */
  readonly chosen: ChoicesChanged | null;
  /** Another object each time it is told that presets are others. */
  readonly presets: PresetsChanged | null;
  readonly isOpening: boolean;
  readonly isMissing: boolean;
  readonly branch: Shown['branch'];
  readonly versions: Shown['versions'];
  /** The message to be shown, on whatever branch it is; another object each time it is wanted. */
  readonly landing: { readonly message: MessageId } | null;
  /** The newest turn of the conversation, on whatever branch it is. */
  readonly turn: Turn | null;
  /** The same, while it runs. */
  readonly running: Turn | null;
  /** The answer whose text will be written anew, see `ConversationState`. */
  readonly stale: MessageId | null;
  readonly pending: Pending | null;
  /** Why the last thing the person asked for was refused. */
  readonly problem: Failure | null;
}

/** Before the server has said anything. */
export const FIRST_VIEW: View = {
  status: 'connecting',
  end: null,
  isRestarting: false,
  engine: null,
  banner: null,
  brand: null,
  user: null,
  models: [],
  defaultModel: null,
  conversations: [],
  hasOlder: false,
  whole: new Set(),
  folders: [],
  current: null,
  opened: null,
  chosen: null,
  presets: null,
  isOpening: false,
  isMissing: false,
  ...NOTHING,
  landing: null,
  turn: null,
  running: null,
  stale: null,
  pending: null,
  problem: null,
};

type Told = 'choices' | 'presets' | 'folders' | 'engine' | 'closing' | 'banner' | 'brand' | 'user';

/** What becomes another by one message alone. */
export function changedBy(message: Extract<ServerMessage, { type: Told }>): Partial<View> {
  switch (message.type) {
    case 'choices':
      return { chosen: message };
    case 'presets':
      return { presets: message };
    case 'folders':
      return { folders: message.folders };
    case 'engine': {
      const { engine, models, default_model: defaultModel } = message;
      return { engine, models, defaultModel };
    }
    case 'closing':
      return { isRestarting: message.reason === 'server_restarting' };
    case 'banner':
      return { banner: message.banner };
    case 'brand':
      return { brand: message.brand };
    case 'user':
      return { user: message.user };
  }
}

/** The part of the view that one conversation decides, from what is known of it. */
export function partOf(
  view: View,
  id: ConversationId | null,
  state: ConversationState | null,
  shown: Shown,
): Partial<View> {
  if (state === null) {
    return { opened: null, ...shown, turn: null, running: null, stale: null, isOpening: false };
  }
  const { messages, position, stale } = state;
  const { pending } = view;
  const turn = newestTurn(messages);
  const hasCome = messages.some((message) => message.client_id === pending?.client_id);
  const listed = view.conversations.find((each) => each.id === id);
  return {
    opened: view.opened?.id === id ? view.opened : (listed ?? null),
    ...shown,
    turn,
    running: turn === null || isFinal(turn) ? null : turn,
    stale,
    isOpening: position === null,
    ...(pending !== null && hasCome ? { pending: null } : {}),
  };
}
