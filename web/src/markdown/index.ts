// Markdown as the rest of the page sees it: one renderer for live answers, replay and search.
import '../styles/markdown.css';

export type { Labels } from './code-block';
export { MarkdownView, renderOnce } from './stream';
export type { MarkdownOptions } from './stream';
