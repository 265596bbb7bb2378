// Light, dark, or as the system says: kept in a cookie, so that the server draws it at once.

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const YEAR_SECONDS = 31_536_000;

export function currentTheme(root: HTMLElement = document.documentElement): Theme {
  const { theme } = root.dataset;
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

/** Shows the theme on this page and remembers it for the next. */
export function setTheme(theme: Theme, root: HTMLElement = document.documentElement): void {
  root.dataset.theme = theme;
  const age = theme === 'auto' ? 0 : YEAR_SECONDS;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax`;
}
