// Which part of a long branch is drawn: its newest messages, or those around one that was looked for.

/** Places in a branch, from the first that is drawn to before `end`. */
export interface Portion {
  readonly start: number;
  /** Null: to the newest, also of those to come. */
  readonly end: number | null;
}

const AT_FIRST = 6; // messages: more than a screen shows
const NEWEST = 20; // drawing hundreds takes seconds, and most are never looked at
const MORE = 30;
const BEFORE = 10; // what was looked for makes sense with what was said before it

/** Returns the few of so many that a screen shows: they are painted before the others are drawn. */
export function atFirst(length: number): Portion {
  return { start: Math.max(0, length - AT_FIRST), end: null };
}

/** Returns the newest of so many. */
export function newest(length: number): Portion {
  return { start: Math.max(0, length - NEWEST), end: null };
}

/** Returns a portion with more before it. */
export function withEarlier(portion: Portion): Portion {
  return { ...portion, start: Math.max(0, portion.start - MORE) };
}

/** Returns a portion with more after it. */
export function withLater({ start, end }: Portion, length: number): Portion {
  return { start, end: reach(end === null ? length : end + MORE, length) };
}

/** Returns a portion that has the message at a place: the given one, if it does. */
export function withPlace(portion: Portion, place: number, length: number): Portion {
  if (place >= portion.start && place < (portion.end ?? length)) return portion;
  return { start: Math.max(0, place - BEFORE), end: reach(place + NEWEST, length) };
}

/** Returns a portion of a branch of this length, which may have become shorter. */
export function upTo(portion: Portion, length: number): Portion {
  return portion.end !== null && portion.end >= length ? { ...portion, end: null } : portion;
}

const reach = (end: number, length: number): number | null => (end >= length ? null : end);
