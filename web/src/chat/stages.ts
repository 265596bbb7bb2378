// What a turn says about itself: a stage while it runs, one line of figures once it has ended.
import { t, tn } from '../i18n';
import { isHealing, isPaused } from './engine';
import type { EngineState, Turn } from './protocol';
import { isFinal } from './protocol';

const SECONDS_A_MINUTE = 60;
const SECONDS_AN_HOUR = 3600;
const SMALL = 10; // below this a decimal says something

/** What is shown of a turn that has not ended. */
export interface StageText {
  readonly label: string;
  /** More about it, after a dot; '' where there is no more. */
  readonly note: string;
  /** Two stages with one key are one: its clock goes on. */
  readonly key: string;
  /** Under which name it is said aloud, once, to who does not see it; '' where it is not. */
  readonly spoken: string;
  /** Since when it is so, is worth counting. */
  readonly isTimed: boolean;
}

/** Returns the stage that people see, given what the engine does; with a label of '' at the end. */
export function stageOf(turn: Turn, engine: EngineState | null, language: string): StageText {
  const trouble = isFinal(turn) ? null : troubleOf(turn, engine);
  if (trouble !== null) return { ...trouble, note: '', spoken: trouble.key, isTimed: true };
  const label = stageLabel(turn, language);
  if (turn.state === 'queued') {
    const note = queueNote(turn, engine, language);
    // Next to how long it will be, how long it was would only confuse.
    return { label, note, key: 'queued', spoken: 'queued', isTimed: note === '' };
  }
  // Text that grows shows by itself that something happens.
  const isTimed = turn.state !== 'writing';
  if (isFinal(turn) || (engine !== 'slow' && engine !== 'thrashing')) {
    return { label, note: '', key: turn.state, spoken: '', isTimed };
  }
  const note =
    engine === 'slow'
      ? t('the engine is slow, it is still working')
      : t('the server is short of memory: the engine is slow, it is still working');
  return { label, note, key: turn.state, spoken: engine, isTimed };
}

/** Returns such as "between 20 s and 1 min" or "less than 20 s". */
export function expectedWait([low, high]: readonly [number, number], language: string): string {
  const to = spokenDuration(high, language);
  if (low <= 0) return t('less than {duration}', { duration: to });
  if (low >= high) return t('about {duration}', { duration: to });
  return t('between {low} and {high}', { low: spokenDuration(low, language), high: to });
}

/** Returns the stage that a turn says of itself; '' once it has ended. */
function stageLabel(turn: Turn, language: string): string {
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

function troubleOf(
  turn: Turn,
  engine: EngineState | null,
): Pick<StageText, 'label' | 'key'> | null {
  const isQueued = turn.state === 'queued';
  if (isQueued && engine !== null && isPaused(engine)) return null; // the banner says why
  // Others go first on an engine that works again: then it is a wait like any other.
  const isBehind = turn.place !== null && turn.place > 0;
  const isOver = engine === 'ready' || engine === 'busy' || engine === 'loading';
  const isTried = turn.is_healing && isQueued && !(isBehind && isOver);
  if (isTried || (engine !== null && isHealing(engine))) {
    return {
      key: 'healing',
      label: t('The engine no longer answers, I am restarting it — your question is kept.'),
    };
  }
  if (engine === 'suspect' || (engine === 'unreachable' && !isQueued)) {
    return {
      key: 'suspect',
      label: t('The engine does not answer at the moment — your question is kept.'),
    };
  }
  return null;
}

function queueNote(turn: Turn, engine: EngineState | null, language: string): string {
  if (engine !== null && isPaused(engine)) return t('your question is kept, it goes on by itself');
  return turn.wait_seconds === null ? '' : expectedWait(turn.wait_seconds, language);
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

/** Returns a length of time as people say it: "45 s", "1 min 30", "2 h". */
function spokenDuration(seconds: number, language: string): string {
  if (seconds < SECONDS_A_MINUTE) return unbroken(unit(seconds, 'second', language));
  const isLong = seconds >= SECONDS_AN_HOUR;
  const size = isLong ? SECONDS_AN_HOUR : SECONDS_A_MINUTE;
  const whole = unit(Math.floor(seconds / size), isLong ? 'hour' : 'minute', language);
  const rest = Math.floor((seconds % size) / (isLong ? SECONDS_A_MINUTE : 1));
  return unbroken(rest === 0 ? whole : `${whole} ${rest}`);
}

const unbroken = (text: string): string => text.replace(/\s/g, '\u00a0');

function unit(value: number, name: 'second' | 'minute' | 'hour', language: string): string {
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: name,
    unitDisplay: 'short',
    maximumFractionDigits: value < SMALL ? 1 : 0,
  })
    .format(value)
    .replace('sec', 's')
    .replace('hr', 'h');
}
