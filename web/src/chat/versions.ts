// Which branch of each conversation this tab shows: remembered across reloads, disturbed by nobody.
import type { Choices, Shown } from './branches';
import { choosing, NOTHING, shownOf } from './branches';
import { keep, kept } from './keep';
import type { ConversationId, Message, MessageId } from './protocol';

const NONE: Choices = new Set();

export class VersionsOf {
  private readonly known = new Map<ConversationId, Choices>();
  private readonly wanted = new Map<ConversationId, MessageId>();
  private readonly written = new Map<ConversationId, string>();

  /** Returns what is shown of a conversation, and remembers it. */
  shown(id: ConversationId, messages: readonly Message[]): Shown {
    if (messages.length === 0) return NOTHING;
    const newest = messages.reduce((found, each) => Math.max(found, each.id), 0);
    let choices = this.known.get(id) ?? recalled(id, newest);
    const wanted = this.wanted.get(id);
    if (wanted !== undefined && messages.some((message) => message.id === wanted)) {
      choices = choosing(choices, messages, wanted);
      this.wanted.delete(id);
    }
    this.known.set(id, choices);
    const shown = shownOf(messages, choices);
    this.write(id, [newest, ...shown.versions.keys()]);
    return shown;
  }

  /** Shows a message from now on, as soon as it is known. */
  want(id: ConversationId, message: MessageId): void {
    this.wanted.set(id, message);
  }

  /** Holds on to what is shown: versions that somebody else adds come beside it. */
  hold(id: ConversationId, messages: readonly Message[]): void {
    const end = this.shown(id, messages).branch.at(-1);
    if (end === undefined) return;
    this.known.set(id, choosing(this.known.get(id) ?? NONE, messages, end.id));
  }

  private write(id: ConversationId, ids: readonly MessageId[]): void {
    const text = ids.length > 1 ? ids.join(' ') : ''; // nothing to choose from
    if (this.written.get(id) === text) return;
    this.written.set(id, text);
    keep(nameOf(id), text, 'sessionStorage');
    keep(nameOf(id), text); // for the next tab
  }
}

const nameOf = (id: ConversationId): string => `branch.${id}`;

/** Where somebody went on elsewhere meanwhile, on a phone perhaps, the newest is what is wanted. */
function recalled(id: ConversationId, newest: MessageId): Choices {
  const text = kept(nameOf(id), 'sessionStorage') || kept(nameOf(id));
  const [then, ...ids] = text.split(' ').map(Number);
  return then === newest ? new Set(ids) : NONE;
}
