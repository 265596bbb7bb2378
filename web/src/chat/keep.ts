// Small things this browser remembers; where it may not, they are forgotten without a word.

const PREFIX = 'couachgpt.';

/** Returns what was kept under a name, or ''. */
export function kept(name: string): string {
  try {
    return localStorage.getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

/** Forgets everything whose name starts so: what a person wrote must not outlast their session. */
export function forget(start: string): void {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX + start)) localStorage.removeItem(name);
    }
  } catch {
    // Where nothing can be kept there is nothing to forget.
  }
}

/** Keeps a text under a name; '' forgets it. */
export function keep(name: string, text: string): void {
  try {
    if (text === '') localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    // A private window or a full store: the text stays on the page, that is all we can do.
  }
}
