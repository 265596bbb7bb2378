// The time zone of every date that is shown: the person's own choice, else the browser's.

let zone = $state<string>();

/** The zone by its IANA name; nothing is the browser's own. */
export function currentZone(): string | undefined {
  return zone;
}

/** Shows all dates in this zone from now on; one that this browser does not know is its own. */
export function useZone(name: string): void {
  zone = name !== '' && isZone(name) ? name : undefined;
}

export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
