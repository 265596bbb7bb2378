// What an answer cost, as pairs of a name and a figure: only what is known.
import { t, tn } from '../../i18n';
import type { Turn } from '../protocol';
import { duration } from '../stages';

export type Figure = readonly [name: string, value: string];

/** Returns what is known of an ended turn, in the order in which it happened. */
export function figuresOf(turn: Turn, language: string): Figure[] {
  const { timings, queued_at, started_at } = turn;
  const waited =
    started_at === null ? null : (Date.parse(started_at) - Date.parse(queued_at)) / 1000;
  const figures: (readonly [string, string | null])[] = [
    [t('Waiting'), spent(waited, language)],
    [t('Loading the model'), spent(timings?.load_seconds ?? null, language)],
    [t('Reading'), spent(timings?.read_seconds ?? null, language)],
    [t('Thinking'), spent(turn.think_seconds, language)],
    [t('Writing'), spent(timings?.write_seconds ?? null, language)],
    [t('In all, without the waiting'), spent(timings?.total_seconds ?? null, language)],
    [t('Speed'), speed(timings?.tokens_per_second ?? null, language)],
    [t('Read'), read(turn, language)],
    [t('Written'), tokens(timings?.answer_tokens ?? null, language)],
    [t('Context used'), context(turn, language)],
  ];
  return figures.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

const number = (value: number, language: string, digits = 0): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);

const spent = (seconds: number | null, language: string): string | null =>
  seconds === null || seconds < 0 ? null : duration(seconds, language);

const tokens = (count: number | null, language: string): string | null =>
  count === null ? null : tn('{n} token', '{n} tokens', count, { n: number(count, language) });

const speed = (value: number | null, language: string): string | null =>
  value === null ? null : t('{speed} tokens/s', { speed: number(value, language, 1) });

function read({ timings }: Turn, language: string): string | null {
  if (timings === null || timings.prompt_tokens === null) return null;
  const all = tokens(timings.prompt_tokens, language) ?? '';
  if (timings.cached_tokens === null || timings.cached_tokens === 0) return all;
  const known = number(timings.cached_tokens, language);
  return t('{tokens}, {known} of them known from before', { tokens: all, known });
}

/** What was read and what was written stand in the context together. */
function context({ timings, sent }: Turn, language: string): string | null {
  const before = timings?.prompt_tokens ?? sent?.tokens ?? null;
  if (before === null || sent === null) return null;
  const used = before + (timings?.answer_tokens ?? 0);
  const share = new Intl.NumberFormat(language, { style: 'percent' });
  return t('{used} of {limit} tokens ({percent})', {
    used: number(used, language),
    limit: number(sent.limit_tokens, language),
    percent: share.format(used / sent.limit_tokens),
  });
}
