// What a button that shows a drawing only says to a pointer.
import { expect, test } from 'vitest';
import { tellName } from './tips';

test('it says its name, also after that has changed, and others say nothing', () => {
  const [button, drawing, text] = ['button', 'i', 'p'].map((tag) => document.createElement(tag));
  if (button === undefined || drawing === undefined || text === undefined) throw new Error();
  button.ariaLabel = 'Full screen';
  button.append(drawing);
  document.body.append(button, text);
  document.addEventListener('pointerover', tellName);
  const pointAt = (found: Element): boolean =>
    found.dispatchEvent(new Event('pointerover', { bubbles: true }));

  pointAt(drawing);
  expect(button.title).toBe('Full screen');
  button.ariaLabel = 'Leave the full screen';
  pointAt(button);
  expect(button.title).toBe('Leave the full screen');
  pointAt(text);
  expect(text.title).toBe('');
});
