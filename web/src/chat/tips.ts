// What a button does that shows a drawing only: said to who points at it, as it is to who listens.

/** Lets the button that is pointed at show its name; each time, because some change theirs. */
export function tellName({ target }: Event): void {
  const button =
    target instanceof Element ? target.closest<HTMLElement>('button[aria-label]') : null;
  if (button !== null) button.title = button.getAttribute('aria-label') ?? '';
}
