// What a turn says about itself: a stage while it runs, one line of figures once it has ended.
import { t, tn } from '../i18n';
import type { Turn } from './protocol';

const SECONDS_A_MINUTE = 60;
const SMALL = 10; // below this a decimal says something

/** Returns the stage that people see while a turn runs; '' once it has ended. */
export function stageLabel(turn: Turn, language: string): string {
  switch (turn.state) {
    case 'queued':
      return queued(turn.place);
    case 'loading':
      return t('Loading the model {model}…', { model: turn.model });
    case 'reading':
      return reading(turn, language);
    case 'thinking':
      return t('Thinking…');
    case 'writing':
      return t('Writing…');
    case 'done':
    case 'stopped':
    case 'interrupted':
    case 'failed':
      return '';
    default:
      return turn.state satisfies never;
  }
}

/** Returns how the answer `text` ended, where that is worth a word; '' for a plain end. */
export function endLabel(turn: Turn, text: string): string {
  if (turn.state === 'stopped') {
    return text === '' ? t('Stopped.') : t('Stopped. What was written is kept.');
  }
  if (turn.state === 'done' && turn.finish_reason === 'length') {
    return t('The answer reached its longest length. Continue it if you need the rest.');
  }
  return '';
}

/** Returns what is said aloud once an answer has ended. */
export function endAnnouncement(turn: Turn): string {
  if (turn.state === 'done') return t('The answer is complete.');
  if (turn.state === 'stopped') return t('The answer was stopped.');
  return t('The answer was cut before its end.');
}

/** Returns such as "412 tokens · 11.2 tokens/s · 36 s": only what is known. */
export function summary(turn: Turn, language: string): string {
  const { timings } = turn;
  if (timings === null) return '';
  const { answer_tokens: tokens, tokens_per_second: speed, total_seconds: seconds } = timings;
  const parts: string[] = [];
  if (tokens !== null)
    parts.push(tn('{n} token', '{n} tokens', tokens, { n: number(tokens, language) }));
  if (speed !== null) parts.push(t('{speed} tokens/s', { speed: number(speed, language) }));
  if (seconds !== null) parts.push(duration(seconds, language));
  return parts.join(' · ');
}

/** Returns such as "4.2 s", "36 s" or "2 min 5 s", in the words of the language. */
export function duration(seconds: number, language: string): string {
  if (seconds < SECONDS_A_MINUTE - 0.5) return unit(seconds, 'second', language);
  const whole = Math.round(seconds);
  const rest = whole % SECONDS_A_MINUTE;
  const minutes = unit((whole - rest) / SECONDS_A_MINUTE, 'minute', language);
  return rest === 0 ? minutes : `${minutes} ${unit(rest, 'second', language)}`;
}

function queued(place: number | null): string {
  if (place === null) return t('Waiting…');
  if (place === 0) return t('Waiting: yours is next');
  return tn('Waiting: {n} answer before yours', 'Waiting: {n} answers before yours', place);
}

function reading(turn: Turn, language: string): string {
  const { read_tokens: done, prompt_tokens: all } = turn;
  if (done === null || all === null || all === 0) return t('Reading your question…');
  const share = new Intl.NumberFormat(language, { style: 'percent' });
  return t('Reading your question: {percent}', { percent: share.format(Math.min(1, done / all)) });
}

function number(value: number, language: string): string {
  const digits = value < 100 ? 1 : 0;
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

function unit(value: number, name: 'second' | 'minute', language: string): string {
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: name,
    unitDisplay: 'short',
    maximumFractionDigits: value < SMALL ? 1 : 0,
  })
    .format(value)
    .replace('sec', 's');
}
