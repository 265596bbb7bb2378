// The chat page's island.
import '../styles/chat.css';
import { mount } from 'svelte';
import Chat from '../chat/Chat.svelte';
import type { Props } from '../chat/props';
import { renderer } from '../chat/parts';
import { tellName } from '../chat/tips';
import { loadTexts } from '../i18n';

const host = document.querySelector('[data-island=chat]');
const props = JSON.parse(document.querySelector('#props')?.textContent ?? '{}') as Props;
const texts = loadTexts(props.language); // first: later parts are told the language by it
if (props.conversation !== null) void renderer.load(); // answers will be there to be drawn
document.addEventListener('pointerover', tellName);
await texts;
if (host !== null) {
  host.replaceChildren();
  mount(Chat, { target: host, props });
}
