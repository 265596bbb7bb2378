// The list of conversations in groups by day, as people name days, and moments as they write them.
import { t } from '../i18n';
import type { Conversation } from './protocol';
import { currentZone } from './zone.svelte';

export interface Group {
  readonly label: string;
  readonly conversations: Conversation[];
}

const WEEK_DAYS = 7;
const MONTH_DAYS = 30;
const DAY_MILLISECONDS = 86_400_000;

/**
 * Returns the groups, newest first after those that are pinned; the label of an old one is its
 * month.
 */
export function byDay(
  conversations: readonly Conversation[],
  now: Date,
  language: string,
  zone = currentZone(),
): readonly Group[] {
  const groups = new Map<string, Group>();
  const dayOf = daysIn(zone);
  const months = new Intl.DateTimeFormat(language, {
    month: 'long',
    year: 'numeric',
    timeZone: zone,
  });
  const today = dayOf(now);
  const put = (label: string, conversation: Conversation): void => {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, { label, conversations: [conversation] });
    else group.conversations.push(conversation);
  };
  const newestFirst = conversations.toSorted((a, b) => b.updated_at.localeCompare(a.updated_at));
  for (const conversation of newestFirst.filter((each) => each.is_pinned)) {
    put(t('Pinned'), conversation);
  }
  for (const conversation of newestFirst.filter((each) => !each.is_pinned)) {
    const time = new Date(conversation.updated_at);
    put(labelOf(today - dayOf(time)) ?? capitalised(months.format(time), language), conversation);
  }
  return [...groups.values()];
}

function labelOf(days: number): string | null {
  if (days <= 0) return t('Today');
  if (days === 1) return t('Yesterday');
  if (days < WEEK_DAYS) return t('Last 7 days');
  if (days < MONTH_DAYS) return t('Last 30 days');
  return null;
}

const capitalised = (text: string, language: string): string =>
  text.charAt(0).toLocaleUpperCase(language) + text.slice(1);

/**
 * Returns what numbers the days of a zone: what counts is the date on the calendar there, so late
 * yesterday is yesterday, and a day of 23 or 25 hours is one day.
 */
export function daysIn(zone = currentZone()): (time: Date) => number {
  const calendar = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    timeZone: zone,
  });
  return (time) => {
    const parts = new Map(calendar.formatToParts(time).map(({ type, value }) => [type, value]));
    const [year, month, day] = (['year', 'month', 'day'] as const).map((part) =>
      Number(parts.get(part)),
    ) as [number, number, number];
    return Date.UTC(year, month - 1, day) / DAY_MILLISECONDS;
  };
}

/** Writes a moment of the server's, with its time, as people of this language and zone do. */
export function momentText(moment: string, language: string, zone = currentZone()): string {
  return new Intl.DateTimeFormat(localeFor(language), {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: zone,
  }).format(new Date(moment));
}

/** Returns the browser's own kind of a language: English dates differ between countries. */
export function localeFor(language: string): string {
  return navigator.languages.find((each) => each.split('-')[0] === language) ?? language;
}
