// What a component shows of how things are, and whether that is still so.
import { onMount } from 'svelte';
import type { Desk } from './desk.svelte';
import { type Live, watch } from './live';
import type { Queue, Status } from './shapes';

/** How things are: first as they were when the page was made, then as they become. */
class View {
  now = $state.raw<Live>({ status: null, queue: null, failure: null });
  /** Whether the server has not been heard of since. */
  isAway = $state(false);

  constructor(desk: Desk) {
    this.now = {
      status: desk.first<Status>('control.status'),
      queue: desk.first<Queue>('control.queue'),
      failure: desk.failure('control.status'),
    };
  }
}

/** Returns what follows the server while a component is on the page. */
export function followed(desk: Desk): View {
  const view = new View(desk);
  onMount(() =>
    watch(
      (next) => {
        view.now = next;
        view.isAway = false;
      },
      (link) => {
        if (link === 'waiting') view.isAway = true;
      },
    ),
  );
  return view;
}
