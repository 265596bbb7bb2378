// What of the page is left above a phone's keyboard.
import { afterEach, expect, test } from 'vitest';
import { fitKeyboard } from './keyboard';

class Visible extends EventTarget {
  height = innerHeight;
  offsetTop = 0;
  scale = 1;

  become(change: Partial<Pick<Visible, 'height' | 'offsetTop' | 'scale'>>): void {
    Object.assign(this, change);
    this.dispatchEvent(new Event('resize'));
  }
}

const root = document.documentElement;
const height = (): string => root.style.getPropertyValue('--visible-height');
let unfit = (): void => undefined;

function fitted(): Visible {
  const visible = new Visible();
  unfit = fitKeyboard(visible as unknown as VisualViewport, root);
  return visible;
}

afterEach(() => {
  unfit();
  root.style.removeProperty('--visible-height');
});

test('a keyboard over the page leaves the rest to the chat, and gives it back', () => {
  const visible = fitted();
  visible.become({ height: innerHeight - 300 });
  expect(height()).toBe(`${innerHeight - 300}px`);
  visible.become({ height: innerHeight });
  expect(height()).toBe('');
});

test('a page that is zoomed with two fingers stays as high as it was', () => {
  const visible = fitted();
  visible.become({ height: innerHeight / 2, scale: 2 });
  expect(height()).toBe('');
});

test('nothing is followed any more once the chat has gone', () => {
  const visible = fitted();
  unfit();
  visible.become({ height: 100 });
  expect(height()).toBe('');
});
