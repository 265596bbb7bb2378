// What every part of the admin page shares: the verbs, the one dialog, what was done last.
import { getContext, setContext } from 'svelte';
import type { Failure } from '../chat/protocol';
import { Api } from './api';
import type { Props } from './props';

/** An action to be thought over: the dialog says what it will do, and asks for the password. */
export interface Question {
  readonly title: string;
  readonly effects: string;
  /** What the button says that does it. */
  readonly label: string;
  /** Whether no password is asked for: it is not dangerous, only perhaps not what is wanted. */
  readonly isPlain?: boolean;
  readonly run: () => Promise<unknown>;
}

const KEY = Symbol('desk');
const SAID_SECONDS = 8;

export class Desk {
  question = $state.raw<Question | null>(null);
  /** Read aloud: what was done last; it goes by itself, so that it covers nothing for long. */
  said = $state('');
  private silence: ReturnType<typeof setTimeout> | undefined;
  readonly api: Api;

  constructor(readonly props: Props) {
    this.api = new Api(props.csrf);
  }

  ask(question: Question): void {
    this.question = question;
  }

  say(text: string): void {
    clearTimeout(this.silence);
    this.said = text;
    this.silence = setTimeout(() => (this.said = ''), SAID_SECONDS * 1000);
  }

  /** Returns what the page began with, or null where that failed. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- says what it is
  first<T>(verb: string): T | null {
    const answer = this.props.data[verb];
    return answer === undefined || answer.error !== undefined ? null : (answer as T);
  }

  /** Returns why the page began without an answer. */
  failure(verb: string): Failure | null {
    return this.props.data[verb]?.error ?? null;
  }
}

export function provideDesk(props: Props): Desk {
  return setContext(KEY, new Desk(props));
}

export function useDesk(): Desk {
  return getContext<Desk>(KEY);
}
