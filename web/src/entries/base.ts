// Every page: the style sheet, the theme buttons, which need script and hide without it, and the
// page that is shown where the server cannot be reached.
import '../styles/base.css';
import { retry, serveOffline } from '../offline';
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

if (document.querySelector('[data-offline]') !== null) retry();
else serveOffline();
