// What the chat fetches once it is shown: drawing answers, naming what went wrong, what helps to
// write, files, and what is done with conversations.
import { addTexts } from '../i18n';
import { Part } from '../part.svelte';

let texts: Promise<void> | undefined;

/** Fetches the texts that only later parts say; once, for all of them. */
function laterTexts(): Promise<void> {
  texts ??= addTexts({
    fr: () => import('../generated/later.fr.json'),
    en: () => import('../generated/later.en.json'),
  }).catch((error: unknown) => {
    texts = undefined; // the next part tries anew
    throw error;
  });
  return texts;
}

function part<T>(fetch: () => Promise<T>): Part<T> {
  return new Part(async () => (await Promise.all([fetch(), laterTexts()]))[0]);
}

export const renderer = part(() => import('../markdown'));
export const troubles = part(() => import('./troubles'));
/** What is done with questions and answers. */
export const acts = part(() => import('./acts'));
export const writing = part(() => import('./Writing.svelte'));
/** The choice of the model and how it answers. */
export const choosing = part(() => import('../choosing/Choosing.svelte'));
export const organising = part(() => import('./Organiser.svelte'));
export const attaching = part(() => import('../files'));
/** Tells of answers to who looks elsewhere. */
export const away = part(() => import('./Away.svelte'));
// Only once it is wanted: it does nothing without a server.
export const carrying = part(() => import('../portable/Portable.svelte'));

/** Fetches all of it, so that it is there when it is wanted, also without a server. */
export function fetchParts(): void {
  void renderer.load();
  void troubles.load();
  void acts.load();
  void organising.load();
  void writing.load();
  void choosing.load();
  void attaching.load();
  void away.load();
}
