// The keys of the page, on the layouts that people have.
import { afterEach, expect, test } from 'vitest';
import { isForAnswer, isSomethingOpen, shortcutOf } from './keys';

const press = (init: KeyboardEventInit) => new KeyboardEvent('keydown', init);

afterEach(() => {
  document.body.replaceChildren();
});

test.each([
  [{ key: '/', code: 'Slash', ctrlKey: true }, 'help'], // QWERTY
  [{ key: '/', code: 'Period', ctrlKey: true, shiftKey: true }, 'help'], // AZERTY: Ctrl+Shift+:
  [{ key: '/', code: 'Digit7', metaKey: true, shiftKey: true }, 'help'], // QWERTZ, on a Mac
  [{ key: 'O', code: 'KeyO', ctrlKey: true, shiftKey: true }, 'new'],
  [{ key: 'щ', code: 'KeyO', metaKey: true, shiftKey: true }, 'new'], // no Latin letter
  [{ key: 'o', code: 'KeyO', ctrlKey: true }, null],
  [{ key: 'r', code: 'KeyO', ctrlKey: true, shiftKey: true }, null], // Dvorak: another letter
  [{ key: '/', code: 'Slash' }, null],
  [{ key: '/', code: 'Slash', ctrlKey: true, altKey: true }, null], // AltGr writes
])('%j means %j', (init, meaning) => {
  expect(shortcutOf(press(init))).toBe(meaning);
});

test('Escape is for the answer, unless something is open or another field is written in', () => {
  const question = document.createElement('textarea');
  question.id = 'question';
  const other = document.createElement('input');
  other.id = 'other';
  document.body.append(question, other, document.createElement('p'));
  const seen = new Map<string, boolean>();
  document.addEventListener('keydown', (event) =>
    seen.set((event.target as Element).id || 'p', isForAnswer(event)),
  );
  for (const target of document.querySelectorAll('textarea, input, p')) {
    target.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  }
  expect(Object.fromEntries(seen)).toEqual({ question: true, other: false, p: true });
  expect(isSomethingOpen()).toBe(false);

  for (const [tag, name, isMarked] of [
    ['dialog', '', true],
    ['details', 'menu', true],
    ['div', 'pop-menu', false],
    ['aside', 'sidebar is-open', false],
  ] as const) {
    const open = document.createElement(tag);
    open.className = name;
    open.toggleAttribute('open', isMarked);
    document.body.replaceChildren(open);
    expect(isSomethingOpen()).toBe(true);
  }
});
