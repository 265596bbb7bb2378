// What the tools of a message need to know, and can ask for.
import type { Message, MessageId, RatingValue } from '../protocol';
import type { View } from '../view';

export interface Acting {
  readonly view: View;
  readonly language: string;
  readonly isAdmin: boolean;
  /** Whose drafts: two people may share a browser. */
  readonly user: number;
  readonly canWrite: boolean;
  /** With another model, or with the conversation's own. */
  regenerate: (message: MessageId, model?: string) => void;
  proceed: (message: MessageId) => void;
  /** Asks instead of a question. Rejects with a RequestError. */
  ask: (text: string, client_id: string, edits: MessageId) => Promise<void>;
  /** Keeps a thumb and a word to it, or takes both back. Rejects with a RequestError. */
  rate: (message: MessageId, value: RatingValue | null, word: string) => Promise<unknown>;
  /** Shows another version in the place of one; `step` is the button that was used. */
  walk: (from: MessageId, to: MessageId, step: Step) => void;
}

export type Step = 'earlier' | 'later';

/** Says whether something new can be asked for now. */
export function isFree({ view, canWrite }: Acting): boolean {
  return canWrite && view.running === null && view.pending === null;
}

/** Says whether an answer ended before its end, with something to go on from. */
export function isCut({ text, turn }: Message): boolean {
  if (turn === null || text === '') return false;
  return (
    ['interrupted', 'stopped', 'failed'].includes(turn.state) || turn.finish_reason === 'length'
  );
}
