// The files of a question where nobody writes: a page beside the chat fetches them once it has some.
import '../styles/rows.css';
import './files.css';

export { default as MessageFiles } from './MessageFiles.svelte';
