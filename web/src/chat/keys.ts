// The keys of the whole page, by what they mean on the layout at hand.

export type Shortcut = 'new' | 'help';

type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/** Returns what a key asks for. Ctrl+Alt is AltGr, which writes. */
export function shortcutOf(event: Pressed): Shortcut | null {
  const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (!(ctrlKey || metaKey) || altKey) return null;
  if (key === '/') return 'help'; // on AZERTY and QWERTZ that takes Shift
  // Where the key writes no Latin letter, it is known by its place.
  const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code === 'KeyO' ? 'o' : '';
  return shiftKey && letter === 'o' ? 'new' : null;
}

/** Says whether something is open that Escape closes before it may stop an answer. */
export const isSomethingOpen = (): boolean =>
  document.querySelector('dialog[open], details.menu[open], .pop-menu, .sidebar.is-open') !== null;

/** Says whether Escape was meant for the answer: not for a field, other than where one asks. */
export function isForAnswer(event: KeyboardEvent): boolean {
  if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return false;
  const field =
    event.target instanceof Element ? event.target.closest('input, textarea, select') : null;
  return field === null || field.id === 'question';
}

export const isMac = (): boolean => /Mac|iP(hone|ad)/.test(navigator.userAgent);
