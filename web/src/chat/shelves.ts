// Where conversations are: the list, the archive, the bin; and what can be done with one there.
import { t } from '../i18n';
import type { Conversation } from './protocol';

export type Shelf = 'archive' | 'bin';
export type Act = 'rename' | 'pin' | 'unpin' | 'archive' | 'unarchive' | 'delete' | 'restore';

/** Returns the list after a conversation changed: it holds neither the archive nor the bin. */
export function listedWith(
  conversations: readonly Conversation[],
  changed: Conversation,
): readonly Conversation[] {
  const others = conversations.filter(({ id }) => id !== changed.id);
  const isListed = !changed.is_archived && changed.deleted_at === null;
  return isListed ? [changed, ...others] : others;
}

/** Returns what can be done with a conversation, in the order of its menu. */
export function actsFor(conversation: Conversation): readonly Act[] {
  if (conversation.deleted_at !== null) return ['restore'];
  if (conversation.is_archived) return ['rename', 'unarchive', 'delete'];
  return ['rename', conversation.is_pinned ? 'unpin' : 'pin', 'archive', 'delete'];
}

export function actText(act: Act): string {
  switch (act) {
    case 'rename':
      return t('Rename…');
    case 'pin':
      return t('Pin');
    case 'unpin':
      return t('Unpin');
    case 'archive':
      return t('Archive');
    case 'unarchive':
      return t('Take out of the archive');
    case 'delete':
      return t('Delete…');
    case 'restore':
      return t('Restore');
  }
}

export type QuickAct = Exclude<Act, 'rename' | 'delete'>;

const DAY_MILLISECONDS = 86_400_000;

/** Returns for how many days more the bin keeps a conversation; null where it keeps for ever. */
export function daysLeft({ deleted_at }: Conversation, days: number, now: number): number | null {
  if (days === 0 || deleted_at === null) return null;
  const end = Date.parse(deleted_at) + days * DAY_MILLISECONDS;
  return Math.max(0, Math.ceil((end - now) / DAY_MILLISECONDS));
}
