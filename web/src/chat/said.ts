// What the page says of something just done, for a few seconds.

export interface Said {
  readonly text: string;
  readonly isProblem?: boolean;
  /** Takes it back. */
  readonly undo?: () => void;
  /** The focus was where something is no more: the way back gets it. */
  readonly isNext?: boolean;
}
