// How things are, as the server tells it every two seconds for as long as somebody looks.
import { signInAddress } from '../chat/address';
import { takeColours } from '../brand';
import type { Brand, Failure } from '../chat/protocol';
import { Connection, type Status as LinkStatus } from '../chat/socket';
import type { Queue, Status } from './shapes';

export interface Live {
  readonly status: Status | null;
  readonly queue: Queue | null;
  readonly failure: Failure | null;
}

function show(brand: Brand): void {
  takeColours(brand);
  const name = document.querySelector('.page-brand');
  if (name !== null) name.textContent = brand.name;
  document.querySelector('.page-home')?.firstElementChild?.replaceWith(markOf(brand));
}

/** As the template draws it (macros/brand.html). */
function markOf({ logo }: Brand): HTMLElement {
  if (logo !== '') {
    return Object.assign(new Image(), { className: 'h-9 w-auto', src: logo, alt: '' });
  }
  const mark = Object.assign(document.createElement('span'), { className: 'mark size-9' });
  mark.ariaHidden = 'true';
  return mark;
}

/** Tells `onlive` again and again; nothing is asked for while the page is hidden. Returns its end. */
export function watch(
  onlive: (live: Live) => void,
  onlink: (status: LinkStatus) => void,
): () => void {
  let connection: Connection | null = null;

  function begin(): void {
    connection = new Connection({
      open: () => new WebSocket(new URL('/ws', location.href)),
      onmessage: (message) => {
        if (message.type === 'hello') void connection?.request('admin.watch', {});
        if (message.type === 'brand') show(message.brand);
        if (message.type !== 'overview') return;
        onlive({
          status: (message.status as Status | undefined) ?? null,
          queue: (message.queue as Queue | undefined) ?? null,
          failure: message.error ?? null,
        });
      },
      onstatus: onlink,
      onend: (end) => {
        if (end === 'signed_out') location.assign(signInAddress(location.pathname));
      },
    });
    connection.connect();
  }

  function end(): void {
    connection?.close();
    connection = null;
  }

  function look(): void {
    if (document.hidden) end();
    else if (connection === null) begin();
  }

  look();
  document.addEventListener('visibilitychange', look);
  return () => {
    document.removeEventListener('visibilitychange', look);
    end();
  };
}
