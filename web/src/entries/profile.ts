// The profile page's island.
import '../styles/profile.css';
import { mount } from 'svelte';
import { leadBack } from '../back';
import { useZone } from '../chat/zone.svelte';
import { loadTexts } from '../i18n';
import Profile from '../profile/Profile.svelte';
import type { Props } from '../profile/props';

leadBack(document.querySelector<HTMLAnchorElement>('a.page-home'));
const host = document.querySelector('[data-island=profile]');
const props = JSON.parse(document.querySelector('#props')?.textContent ?? '{}') as Props;
useZone(props.user.zone);
await loadTexts(props.language, {
  fr: () => import('../generated/profile.fr.json'),
  en: () => import('../generated/profile.en.json'),
});
if (host !== null) mount(Profile, { target: host, props: { props } });
