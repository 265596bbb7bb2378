// Everything of attached files that the page fetches once it is shown.
import './files.css';

export { default as AttachButton } from './AttachButton.svelte';
export { Files } from './files.svelte';
export { default as MessageFiles } from './MessageFiles.svelte';
export { default as Tray } from './Tray.svelte';
