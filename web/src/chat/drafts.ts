// What a person has begun to write, by conversation: it outlives a reload, and not their session.
import { keep, kept, keptNames } from './keep';
import type { ConversationId } from './protocol';

export interface Draft {
  readonly text: string;
  /** It was sent under this id, and nobody knows yet whether it came: it is sent again as the same. */
  readonly client_id: string | null;
}

export const NO_DRAFT: Draft = { text: '', client_id: null };

const MOST = 40; // of one person; the one that was not touched for longest goes
const LONGEST = 500_000; // no question is longer

export const draftName = (user: number, conversation: ConversationId | null): string =>
  `draft.${user}.${conversation ?? 'new'}`;

export function readDraft(name: string): Draft {
  return parsed(kept(name));
}

/** Keeps a draft; says whether it could. The oldest ones make room for it. */
export function writeDraft(name: string, { text, client_id }: Draft): boolean {
  if (text === '') return keep(name, '');
  if (text.length > LONGEST) return false;
  const others = oldestFirst(name);
  for (const old of others.splice(0, others.length + 1 - MOST)) keep(old, '');
  const record = JSON.stringify({ at: Date.now(), text, client_id });
  let isKept = keep(name, record);
  while (!isKept && others.length > 0) {
    keep(others.shift() ?? '', '');
    isKept = keep(name, record);
  }
  return isKept;
}

function oldestFirst(name: string): string[] {
  const start = name.slice(0, name.lastIndexOf('.') + 1);
  const dated = keptNames(start)
    .filter((other) => other !== name)
    .map((other) => ({ other, at: parsed(kept(other)).at }));
  return dated.toSorted((one, two) => one.at - two.at).map(({ other }) => other);
}

function parsed(record: string): Draft & { at: number } {
  try {
    const { at, text, client_id: id } = JSON.parse(record) as Record<string, unknown>;
    if (typeof text === 'string') {
      const client_id = typeof id === 'string' ? id : null;
      return { text, client_id, at: typeof at === 'number' ? at : 0 };
    }
  } catch {
    // an older page kept the bare text
  }
  return { text: record, client_id: null, at: 0 };
}

/**
 * Returns what a tab shows once another tab has kept `theirs`: what was typed here stays, unless
 * theirs goes on with it.
 */
export function merged(shown: string, isOwn: boolean, theirs: string): string {
  return isOwn && !theirs.startsWith(shown) ? shown : theirs;
}

/** Returns texts, one under the other. */
export const joined = (...parts: string[]): string =>
  parts.filter((part) => part !== '').join('\n');

/** Returns a draft without the question that it began with, and that the server has by now. */
export function without(asked: Draft, draft: Draft): Draft {
  if (draft.client_id === asked.client_id) return NO_DRAFT;
  const start = `${asked.text}\n`;
  return draft.text.startsWith(start) ? { ...draft, text: draft.text.slice(start.length) } : draft;
}
