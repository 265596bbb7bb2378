// Tells of an answer to somebody who looks elsewhere, by a notification where this browser has any.
import { keep, kept } from './keep';
import type { Turn, TurnId } from './protocol';
import type { View } from './view';

/** Before the title of a tab in which an answer ended unseen. */
export const MARK = '● ';
const KEY = 'notify';
const ON = 'on';

/** `insecure`: browsers have notifications over https alone; `missing`: this one has none at all. */
export type Telling = 'on' | 'off' | 'denied' | 'insecure' | 'missing';

export function telling(): Telling {
  if (!window.isSecureContext) return 'insecure';
  if (!('Notification' in window)) return 'missing';
  if (Notification.permission === 'denied') return 'denied';
  return Notification.permission === 'granted' && kept(KEY) === ON ? 'on' : 'off';
}

/** Asks for the permission, and shows a first one: some browsers have them for installed apps alone. */
export async function turnOn(title: string, sample: string): Promise<Telling> {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') return telling();
  if (show(title, sample) === null) return 'missing';
  keep(KEY, ON);
  return telling();
}

export function turnOff(): Telling {
  keep(KEY, '');
  return telling();
}

/** Shows a notification in place of the one before; a click brings the tab forward. */
export function show(title: string, body: string): Notification | null {
  try {
    const shown = new Notification(title, { body, tag: 'couachgpt', icon: '/favicon.svg' });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
    return shown;
  } catch {
    return null;
  }
}

/** Follows the answers of the conversation that is open. */
export class Ends {
  #running: TurnId | null = null;

  /** Returns the turn that has ended since the last view; null for one that was stopped. */
  next({ running, turn }: Pick<View, 'running' | 'turn'>): Turn | null {
    const before = this.#running;
    this.#running = running?.id ?? null;
    const hasEnded = running === null && turn !== null && turn.id === before;
    return hasEnded && turn.state !== 'stopped' ? turn : null;
  }
}
