// What the chat fetches once it is shown: drawing answers, and what is done with conversations.
import { Part } from '../part.svelte';

export const renderer = new Part(() => import('../markdown'));
export const organising = new Part(() => import('./Organiser.svelte'));

/** Fetches all of it, so that it is there when it is wanted, also without a server. */
export function fetchParts(): void {
  void renderer.load();
  void organising.load();
}
