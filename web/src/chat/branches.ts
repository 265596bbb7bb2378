// The versions of a conversation: an edited question and another answer are siblings in a tree.
import type { Message, MessageId } from './protocol';

/** Of siblings the one that is shown; where none of them is chosen, the branch of the newest is. */
export type Choices = ReadonlySet<MessageId>;

export interface Shown {
  /** From the first question to the end. */
  readonly branch: readonly Message[];
  /** All versions, oldest first, of each message of the branch that has more than one. */
  readonly versions: ReadonlyMap<MessageId, readonly MessageId[]>;
}

export const NOTHING: Shown = { branch: [], versions: new Map() };

const ROOT = 0; // no message has it

/** Returns the branch that is shown. */
export function shownOf(messages: readonly Message[], choices: Choices): Shown {
  const children = childrenOf(messages);
  const newest = newestBelow(messages);
  const age = ({ id }: Message): number => newest.get(id) ?? id;
  const branch: Message[] = [];
  const versions = new Map<MessageId, readonly MessageId[]>();
  let siblings = children.get(ROOT);
  while (siblings !== undefined) {
    const next =
      siblings.find(({ id }) => choices.has(id)) ??
      siblings.reduce((found, each) => (age(each) > age(found) ? each : found));
    branch.push(next);
    if (siblings.length > 1) {
      versions.set(
        next.id,
        siblings.map(({ id }) => id),
      );
    }
    siblings = children.get(next.id);
  }
  return { branch, versions };
}

/** Returns the choices that show a message, and below it what was shown there last. */
export function choosing(
  choices: Choices,
  messages: readonly Message[],
  message: MessageId,
): Choices {
  const byId = new Map(messages.map((each) => [each.id, each]));
  const path = new Set<MessageId>();
  for (let at = byId.get(message); at !== undefined && !path.has(at.id);) {
    path.add(at.id);
    at = at.parent === null ? undefined : byId.get(at.parent);
  }
  const parents = new Set([...path].map((id) => byId.get(id)?.parent));
  const others = messages.filter(({ id, parent }) => parents.has(parent) && !path.has(id));
  const dropped = new Set(others.map(({ id }) => id));
  return new Set([...choices, ...path].filter((id) => !dropped.has(id)));
}

function childrenOf(messages: readonly Message[]): ReadonlyMap<MessageId, readonly Message[]> {
  const known = new Set(messages.map(({ id }) => id));
  const children = new Map<MessageId, Message[]>();
  for (const message of messages.toSorted((a, b) => a.id - b.id)) {
    const { parent } = message;
    const at = parent !== null && known.has(parent) ? parent : ROOT;
    const siblings = children.get(at);
    if (siblings === undefined) children.set(at, [message]);
    else siblings.push(message);
  }
  return children;
}

/** Returns the newest message of each one's branches; a message is newer than its parent. */
function newestBelow(messages: readonly Message[]): ReadonlyMap<MessageId, MessageId> {
  const newest = new Map<MessageId, MessageId>();
  for (const { id, parent } of messages.toSorted((a, b) => b.id - a.id)) {
    const own = newest.get(id) ?? id;
    newest.set(id, own);
    if (parent !== null) newest.set(parent, Math.max(own, newest.get(parent) ?? parent));
  }
  return newest;
}
