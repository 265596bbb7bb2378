// What the page says of something just done, for a few seconds.

export interface Said {
  readonly text: string;
  readonly isProblem?: boolean;
  /** Takes it back. */
  readonly undo?: () => void;
  /** The focus was where something is no more: the way back gets it. */
  readonly isNext?: boolean;
}

const MOST_LETTERS = 40;

/** Returns a name as a toast says it: of a long one the beginning, so that what was done stays in sight. */
export function shortened(name: string): string {
  const letters = Array.from(name); // not half of one
  if (letters.length <= MOST_LETTERS) return name;
  return `${letters
    .slice(0, MOST_LETTERS - 1)
    .join('')
    .trimEnd()}…`;
}
