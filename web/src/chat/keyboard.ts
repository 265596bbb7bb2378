// Phones whose keyboard lies over the page and does not shrink it: what is visible is the page.

/** Keeps `--visible-height` as high as what can be seen, where that is less than the window. */
export function fitKeyboard(
  visible: VisualViewport,
  root: HTMLElement = document.documentElement,
): () => void {
  const fit = (): void => {
    const isZoomed = visible.scale > 1.01; // two fingers, not a keyboard
    const isCovered = !isZoomed && visible.height < innerHeight - 1;
    if (isCovered) root.style.setProperty('--visible-height', `${visible.height}px`);
    else root.style.removeProperty('--visible-height');
    // The browser has moved the page to show the field; the composer is in view as it is.
    if (isCovered && visible.offsetTop > 0) scrollTo(0, 0);
  };
  visible.addEventListener('resize', fit);
  visible.addEventListener('scroll', fit);
  return () => {
    visible.removeEventListener('resize', fit);
    visible.removeEventListener('scroll', fit);
  };
}
