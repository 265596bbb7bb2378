// The list of conversations in groups by day, as people name days.
import { t } from '../i18n';
import type { Conversation } from './protocol';

export interface Group {
  readonly label: string;
  readonly conversations: Conversation[];
}

const WEEK_DAYS = 7;
const MONTH_DAYS = 30;

/** Returns the groups, newest first; the label of an old one is its month. */
export function byDay(
  conversations: readonly Conversation[],
  now: Date,
  language: string,
): readonly Group[] {
  const groups = new Map<string, Group>();
  const newestFirst = conversations.toSorted((a, b) => b.updated_at.localeCompare(a.updated_at));
  for (const conversation of newestFirst) {
    const label = labelOf(new Date(conversation.updated_at), now, language);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, { label, conversations: [conversation] });
    else group.conversations.push(conversation);
  }
  return [...groups.values()];
}

function labelOf(time: Date, now: Date, language: string): string {
  const days = daysBetween(time, now);
  if (days <= 0) return t('Today');
  if (days === 1) return t('Yesterday');
  if (days < WEEK_DAYS) return t('Last 7 days');
  if (days < MONTH_DAYS) return t('Last 30 days');
  const label = new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric' }).format(time);
  return label.charAt(0).toLocaleUpperCase(language) + label.slice(1);
}

/** Counts midnights, not hours: late yesterday is yesterday. Noon keeps clear of clock changes. */
function daysBetween(time: Date, now: Date): number {
  const noon = (at: Date): number =>
    new Date(at.getFullYear(), at.getMonth(), at.getDate(), 12).getTime();
  return Math.round((noon(now) - noon(time)) / 86_400_000);
}
