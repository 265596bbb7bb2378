// Where conversations are: the list, the archive, the bin; and what can be done with one there.
import { t } from '../i18n';
import type { Conversation, Place } from './protocol';

export type Shelf = 'archive' | 'bin';
/** What the sidebar leads to besides: what colleagues share, and files of conversations. */
export type Destination = Shelf | 'shared' | 'files';
export type Act =
  | 'rename'
  | 'move'
  | 'pin'
  | 'unpin'
  | 'archive'
  | 'unarchive'
  | 'share'
  | 'export'
  | 'delete'
  | 'restore';

/** Returns the list after a conversation changed: it holds neither the archive nor the bin. */
export function listedWith(
  conversations: readonly Conversation[],
  changed: Conversation,
): readonly Conversation[] {
  const others = conversations.filter(({ id }) => id !== changed.id);
  const isListed = !changed.is_archived && changed.deleted_at === null;
  return isListed ? [changed, ...others] : others;
}

/** Returns where a conversation stands on its shelf. */
export const placeOf = (one: Conversation): Place => ({
  at: one.deleted_at ?? one.updated_at,
  id: one.id,
  is_pinned: one.is_pinned,
});

/** Returns what can be done with a conversation, in the order of its menu. */
export function actsFor(conversation: Conversation): readonly Act[] {
  if (conversation.deleted_at !== null) return ['restore'];
  if (conversation.is_archived) return ['rename', 'move', 'unarchive', 'share', 'export', 'delete'];
  return [
    'rename',
    'move',
    conversation.is_pinned ? 'unpin' : 'pin',
    'archive',
    'share',
    'export',
    'delete',
  ];
}

export function actText(act: Act): string {
  switch (act) {
    case 'rename':
      return t('Rename…');
    case 'move':
      return t('Move to a folder…');
    case 'pin':
      return t('Pin');
    case 'unpin':
      return t('Unpin');
    case 'archive':
      return t('Archive');
    case 'unarchive':
      return t('Take out of the archive');
    case 'share':
      return t('Share…');
    case 'export':
      return t('Export…');
    case 'delete':
      return t('Delete…');
    case 'restore':
      return t('Restore');
  }
}

export type QuickAct = Exclude<Act, 'rename' | 'move' | 'delete' | 'share' | 'export'>;

const DAY_MILLISECONDS = 86_400_000;

/** Returns for how many days more the bin keeps a conversation; null where it keeps for ever. */
export function daysLeft({ deleted_at }: Conversation, days: number, now: number): number | null {
  if (days === 0 || deleted_at === null) return null;
  const end = Date.parse(deleted_at) + days * DAY_MILLISECONDS;
  return Math.max(0, Math.ceil((end - now) / DAY_MILLISECONDS));
}
