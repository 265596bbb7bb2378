// The island of a conversation to read or to print.
import '../styles/markdown.css';
import '../styles/document.css';
import { mount } from 'svelte';
import { loadTexts } from '../i18n';
import Document from '../portable/Document.svelte';
import type { DocumentProps } from '../portable/written';

const host = document.querySelector('[data-island=document]');
const props = JSON.parse(document.querySelector('#props')?.textContent ?? '{}') as DocumentProps;
await loadTexts(props.language, {
  fr: () => import('../generated/document.fr.json'),
  en: () => import('../generated/document.en.json'),
});
if (host !== null) mount(Document, { target: host, props });
