// All that the chat says of what went wrong: a later part of the page.
export { errorText } from './errors';
export { engineNotice } from './notices';
