// One conversation as a page knows it: a pure function of the events that came.
import type { ConversationEvent, Message, MessageId, Position, Turn } from './protocol';
import { isFinal } from './protocol';

/** The answer that is being written, apart from the list: a piece of text costs no copy of it. */
export interface Growing {
  readonly message: MessageId;
  readonly text: string;
  readonly thinking: string;
}

export interface ConversationState {
  /** Where the page is in the events; null until the first snapshot. */
  readonly position: Position | null;
  readonly messages: readonly Message[];
  readonly growing: Growing | null;
  /** The answer whose text an attempt that failed left behind: the next one writes it anew. */
  readonly stale: MessageId | null;
  /** Events are missing: watch again from `position`. */
  readonly isBehind: boolean;
}

export const EMPTY: ConversationState = {
  position: null,
  messages: [],
  growing: null,
  stale: null,
  isBehind: false,
};

/** Returns the state after an event; the very same state if the event was seen before. */
export function apply(state: ConversationState, event: ConversationEvent): ConversationState {
  if (event.type === 'snapshot') {
    const { position, messages } = event;
    const stale = messages.find(({ turn }) => turn?.is_healing)?.id ?? null;
    return { position, messages, growing: null, stale, isBehind: false };
  }
  const { position } = state;
  if (position === null) return state.isBehind ? state : { ...state, isBehind: true };
  if (event.n <= position.n) return state;
  if (event.n > position.n + 1) return state.isBehind ? state : { ...state, isBehind: true };
  const moved = { ...state, position: { ...position, n: event.n }, isBehind: false };
  switch (event.type) {
    case 'messages':
      return { ...moved, messages: merged(state.messages, event.messages) };
    case 'turn':
      return turned(moved, event.message, event.turn);
    case 'text':
      return grown(moved, event.message, event.kind, event.d);
    case 'rewrite':
      return rewritten(moved, event.message, event.text, event.thinking);
    default:
      return event satisfies never;
  }
}

/** Returns a message with all of its text, also of an answer that is being written. */
export function whole(state: ConversationState, message: Message): Message {
  const { growing } = state;
  if (growing?.message !== message.id) return message;
  return { ...message, text: growing.text, thinking: growing.thinking };
}

/** Returns the turn that began last: a conversation has one at a time. */
export function newestTurn(messages: readonly Message[]): Turn | null {
  const turns = messages.flatMap(({ turn }) => turn ?? []);
  return turns.reduce<Turn | null>(
    (found, each) => (each.id > (found?.id ?? 0) ? each : found),
    null,
  );
}

function merged(known: readonly Message[], fresh: readonly Message[]): readonly Message[] {
  const ids = new Set(fresh.map((message) => message.id));
  return [...known.filter((message) => !ids.has(message.id)), ...fresh];
}

function turned(state: ConversationState, id: MessageId, turn: Turn): ConversationState {
  const isEnd = isFinal(turn) && state.growing?.message === id;
  const messages = state.messages.map((message) =>
    message.id === id ? { ...(isEnd ? whole(state, message) : message), turn } : message,
  );
  let { stale } = state;
  if (turn.is_healing) stale = id;
  else if (isFinal(turn) && stale === id) stale = null;
  return { ...state, messages, growing: isEnd ? null : state.growing, stale };
}

function grown(
  state: ConversationState,
  id: MessageId,
  kind: 'text' | 'thinking',
  piece: string,
): ConversationState {
  const began = beginning(state, id);
  const { growing } = began;
  if (growing?.message !== id) return state;
  return { ...began, growing: { ...growing, [kind]: growing[kind] + piece } };
}

function rewritten(
  state: ConversationState,
  id: MessageId,
  text: string,
  thinking: string,
): ConversationState {
  const began = beginning(state, id);
  if (began.growing?.message !== id) return state;
  const stale = state.stale === id ? null : state.stale;
  return { ...began, growing: { message: id, text, thinking }, stale };
}

/** Lets this answer be the one that grows, if it is known; the one before keeps its text. */
function beginning(state: ConversationState, id: MessageId): ConversationState {
  const { growing, messages } = state;
  if (growing?.message === id) return state;
  const message = messages.find((each) => each.id === id);
  if (message === undefined) return state;
  return {
    ...state,
    messages: growing === null ? messages : messages.map((each) => whole(state, each)),
    growing: { message: id, text: message.text, thinking: message.thinking },
  };
}
