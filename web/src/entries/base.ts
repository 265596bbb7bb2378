// Every page: the style sheet, and the theme buttons, which need script and hide without it.
import '../styles/base.css';
import type { Theme } from '../theme';
import { currentTheme, setTheme } from '../theme';

function show(group: HTMLElement): void {
  for (const button of group.querySelectorAll<HTMLElement>('[data-theme-choice]')) {
    button.ariaPressed = String(button.dataset.themeChoice === currentTheme());
  }
}

for (const group of document.querySelectorAll<HTMLElement>('[data-themes]')) {
  group.hidden = false;
  show(group);
  group.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest<HTMLElement>('button') : null;
    if (button?.dataset.themeChoice === undefined) return;
    setTheme(button.dataset.themeChoice as Theme);
    show(group);
  });
}
