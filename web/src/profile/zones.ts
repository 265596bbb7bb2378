// The time zones that this browser knows, as people look for them: by city, country's zone, or offset.

export interface Zone {
  /** Of the IANA list. */
  readonly name: string;
  /** "Paris · UTC+1 · heure normale d’Europe centrale". */
  readonly label: string;
}

/** Returns the zone of the browser itself. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Returns every zone, by the name of its city; the offsets are those of a moment. */
export function zonesAt(moment: Date, language: string): readonly Zone[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
    .filter((name, index, all) => all.indexOf(name) === index)
    .map((name) => ({ name, label: labelOf(name, moment, language) }))
    .toSorted((a, b) => a.label.localeCompare(b.label, language));
}

export function labelOf(name: string, moment: Date, language: string): string {
  const city = name.split('/').slice(1).toReversed().join(', ').replaceAll('_', ' ') || name;
  const offset = part(name, moment, 'en', 'shortOffset').replace('GMT', 'UTC');
  return [city, offset, part(name, moment, language, 'longGeneric')].join(' · ');
}

function part(
  timeZone: string,
  moment: Date,
  language: string,
  timeZoneName: 'shortOffset' | 'longGeneric',
): string {
  const parts = new Intl.DateTimeFormat(language, { timeZone, timeZoneName }).formatToParts(moment);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

/** Returns the zones that have each word in their name or label, accents and case apart. */
export function search(zones: readonly Zone[], text: string): readonly Zone[] {
  const words = folded(text)
    .split(/[\s/_,]+/)
    .filter((word) => word !== '');
  return zones.filter(({ name, label }) => {
    const all = folded(`${name.replaceAll('_', ' ')} ${label}`);
    return words.every((word) => all.includes(word));
  });
}

const folded = (text: string): string =>
  text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
