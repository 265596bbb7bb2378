// Finding people.
import type { Person } from './shapes';

/** Returns whose name or login holds every word, whatever its case and accents. */
export function matching(people: readonly Person[], search: string): readonly Person[] {
  const words = plain(search).split(/\s+/).filter(Boolean);
  return people.filter(({ login, name }) => {
    const text = plain(`${login} ${name}`);
    return words.every((word) => text.includes(word));
  });
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}
