// Questions typed while an answer is being written: they wait in this browser, and leave in order.
//
// Not on the server: there a question is a message of the conversation, which nobody changes nor
// takes back, and whoever waits wants to do both. What makes it safe here is the `client_id`: however
// many tabs send a question, and however often, it is one.
import { keep, kept } from './keep';
import type { ConversationId, Failure, Requests } from './protocol';
import type { View } from './view';

/** What a question is asked with, besides where. */
export type Asking = Omit<
  Requests['chat.ask'],
  'conversation' | 'parent' | 'edits' | 'client_id' | 'text'
>;
type Asked = Asking & Pick<Requests['chat.ask'], 'client_id' | 'text'>;

export interface Ahead {
  readonly asked: Asked;
  /** Why it does not leave by itself: somebody changes it, or the server refused it. */
  readonly hold: 'editing' | Failure | null;
}

/** What becomes of the first in the row: it leaves, waits for the end, or for the person. */
export type Standing = 'leaves' | 'waits' | 'held' | 'ended';

export const MOST_AHEAD = 5;
const MOST_LETTERS = 200_000; // a browser keeps some 5 MB in all

export const aheadName = (user: number, conversation: ConversationId): string =>
  `ahead.${user}.${conversation}`;

export function readAhead(name: string): readonly Ahead[] {
  try {
    const items: unknown = JSON.parse(kept(name));
    return Array.isArray(items) ? items.filter(isAhead) : [];
  } catch {
    return [];
  }
}

/** Keeps the row; says whether it could. */
export function writeAhead(name: string, items: readonly Ahead[]): boolean {
  return keep(name, items.length === 0 ? '' : JSON.stringify(items));
}

export function hasRoom(items: readonly Ahead[], text: string): boolean {
  const letters = items.reduce((sum, { asked }) => sum + asked.text.length, text.length);
  return items.length < MOST_AHEAD && letters <= MOST_LETTERS;
}

/** Returns those that are not in the conversation yet: another tab may have sent them. */
export function stillAhead(items: readonly Ahead[], { branch }: View): readonly Ahead[] {
  const come = new Set(branch.map((message) => message.client_id));
  const left = items.filter(({ asked }) => !come.has(asked.client_id));
  return left.length === items.length ? items : left;
}

/** An answer that failed, was cut or stopped may want another question than the one that waits. */
export function standing(head: Ahead, view: View): Standing {
  if (view.isOpening || view.pending !== null || view.running !== null) return 'waits';
  if (view.turn === null) return 'waits'; // nothing is known yet
  if (head.hold !== null) return 'held';
  return view.turn.state === 'done' ? 'leaves' : 'ended';
}

function isAhead(value: unknown): value is Ahead {
  const asked = (value as Partial<Ahead> | null)?.asked;
  return typeof asked?.client_id === 'string' && typeof asked.text === 'string';
}
