// How one moves in the list: by arrows, by dragging, by reaching its end.
import type { ConversationId } from './protocol';

const KIND = 'application/x-couachgpt-conversation';

/** Lets a link be dragged as the conversation that it leads to. */
export function carry(event: DragEvent, id: ConversationId): void {
  event.dataTransfer?.setData(KIND, id);
}

/** Makes an element take conversations that are dropped on it. */
export const taking = (put: (id: ConversationId) => void) => (zone: HTMLElement) => {
  const carries = (event: DragEvent): boolean => event.dataTransfer?.types.includes(KIND) === true;
  const mark = (isOver: boolean): boolean => zone.classList.toggle('is-over', isOver);
  zone.ondragover = (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    mark(true);
  };
  zone.ondragleave = (event) => {
    const { relatedTarget } = event;
    if (!(relatedTarget instanceof Node && zone.contains(relatedTarget))) mark(false);
  };
  zone.ondrop = (event) => {
    mark(false);
    if (!carries(event)) return;
    event.preventDefault();
    put(event.dataTransfer?.getData(KIND) ?? '');
  };
};

/** Lets up and down walk through the entries of a list; left and right close and open a folder. */
export function walking(list: HTMLElement): void {
  list.onkeydown = (event) => {
    const stops = [...list.querySelectorAll<HTMLElement>('.entry')];
    const at = stops.findIndex((each) => each === document.activeElement);
    const isOpen = stops[at]?.ariaExpanded;
    if (at < 0) return;
    if (event.key === 'ArrowDown') stops[at + 1]?.focus();
    else if (event.key === 'ArrowUp') stops[at - 1]?.focus();
    else if (event.key === (isOpen === 'true' ? 'ArrowLeft' : 'ArrowRight') && isOpen)
      stops[at]?.click();
    else return;
    event.preventDefault();
  };
}

/** Calls whenever an element comes near to being seen. */
export const nearing = (reached: () => void) => (element: HTMLElement) => {
  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) reached();
    },
    { rootMargin: '200px' },
  );
  observer.observe(element);
  return () => observer.disconnect();
};
