// Small things this browser remembers; where it may not, they are forgotten without a word.

const PREFIX = 'couachgpt.';

/** Of this browser, or of this tab alone. */
type Place = 'localStorage' | 'sessionStorage';

/** Returns what was kept under a name, or ''. */
export function kept(name: string, place: Place = 'localStorage'): string {
  try {
    return window[place].getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

/** Forgets everything whose name starts so: what a person wrote must not outlast their session. */
export function forget(start: string, place: Place = 'localStorage'): void {
  for (const name of keptNames(start, place)) keep(name, '', place);
}

/** Forgets what was written here and not sent, as a log-out does. */
export function forgetWritten(): void {
  forget('draft.');
  forget('ahead.');
  forget('files.', 'sessionStorage');
}

/** Returns the names, of what is kept, that start so. */
export function keptNames(start: string, place: Place = 'localStorage'): string[] {
  try {
    const all = Object.keys(window[place]).filter((name) => name.startsWith(PREFIX + start));
    return all.map((name) => name.slice(PREFIX.length));
  } catch {
    return [];
  }
}

/** Returns the name of what another tab has just changed, or null: it is none of ours. */
export function changedName({ key }: StorageEvent): string | null {
  return key?.startsWith(PREFIX) === true ? key.slice(PREFIX.length) : null;
}

/** Keeps a text under a name; '' forgets it. Says whether it could: not in a store that is full. */
export function keep(name: string, text: string, place: Place = 'localStorage'): boolean {
  try {
    if (text === '') window[place].removeItem(PREFIX + name);
    else window[place].setItem(PREFIX + name, text);
    return true;
  } catch {
    return text === '';
  }
}
