// What every part of the profile page shares: the account, the forms, what was done last.
import { getContext, setContext } from 'svelte';
import type { OwnUser } from '../chat/protocol';
import { useZone } from '../chat/zone.svelte';
import { type Fields, Forms } from '../forms';
import type { Props, Session } from './props';

const KEY = Symbol('account');
const SAID_SECONDS = 8;

interface Answer {
  readonly user?: OwnUser;
  readonly sessions?: readonly Session[];
}

export class Account {
  user: OwnUser;
  sessions: readonly Session[];
  /** Read aloud: what was done last; it goes by itself, so that it covers nothing for long. */
  said = $state('');
  readonly forms: Forms;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly props: Props) {
    this.user = $state.raw(props.user);
    this.sessions = $state.raw(props.sessions);
    this.forms = new Forms(props.csrf);
  }

  /** Changes something and shows what it is by then. Rejects with a RequestError. */
  async change(what: string, fields: Fields): Promise<void> {
    const response = await this.forms.send(`/profile/${what}`, fields);
    const { user, sessions } = (await response.json()) as Answer;
    if (user !== undefined) {
      useZone(user.zone);
      this.user = user;
    }
    if (sessions !== undefined) this.sessions = sessions;
  }

  say(text: string): void {
    clearTimeout(this.silence);
    this.said = text;
    this.silence = setTimeout(() => (this.said = ''), SAID_SECONDS * 1000);
  }
}

export function provideAccount(props: Props): Account {
  return setContext(KEY, new Account(props));
}

export function useAccount(): Account {
  return getContext<Account>(KEY);
}
