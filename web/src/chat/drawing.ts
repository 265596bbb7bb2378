// How the chat draws markdown: the one renderer, with its words in the language of the page.
import type { MarkdownView } from '../markdown';
import { drawingLabels } from './labels';
import { renderer } from './parts';

/** Lets a view draw in an element; nothing as long as the renderer is not there. */
export function viewIn(host: HTMLElement): MarkdownView | undefined {
  return renderer.now && new renderer.now.MarkdownView(host, { labels: drawingLabels() });
}
