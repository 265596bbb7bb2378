// The admin page's island: the component of the page that the server names.
import '../styles/admin.css';
import { mount } from 'svelte';
import Admin from '../admin/Admin.svelte';
import type { Props } from '../admin/props';
import { loadAdminTexts } from '../admin/texts';
import { leadBack } from '../back';

leadBack(document.querySelector<HTMLAnchorElement>('a.page-home'));
const host = document.querySelector('[data-island=admin]');
const props = JSON.parse(document.querySelector('#props')?.textContent ?? '{}') as Props;
await loadAdminTexts(props.language);
if (host !== null) mount(Admin, { target: host, props: { props } });
