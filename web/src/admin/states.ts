// The watchdog's verdicts: how they stand to one another, and what each means.
import type { FailedReason, Verdict } from '../chat/protocol';
import { t } from '../i18n';

export interface Lane {
  readonly title: () => string;
  readonly tone: 'well' | 'doubt' | 'care' | 'out';
  readonly states: readonly Verdict[];
}

/** From the daily life of a healthy engine down to what only a person ends. */
export const LANES: readonly Lane[] = [
  {
    title: () => t('At work'),
    tone: 'well',
    states: ['starting', 'loading', 'ready', 'busy', 'slow'],
  },
  {
    title: () => t('In doubt'),
    tone: 'doubt',
    states: ['thrashing', 'suspect', 'hung_idle', 'hung_spin', 'dead'],
  },
  {
    title: () => t('Being mended'),
    tone: 'care',
    states: ['cancelling', 'unloading', 'backoff', 'restarting'],
  },
  {
    title: () => t('Out of service'),
    tone: 'out',
    states: ['failed', 'unreachable', 'stopped', 'maintenance'],
  },
];

type Words = readonly [name: () => string, meaning: () => string];

const WORDS: Readonly<Record<Verdict, Words>> = {
  starting: [() => t('starting'), () => t('The engine is coming up.')],
  loading: [() => t('loading'), () => t('A model is being read into memory.')],
  ready: [() => t('ready'), () => t('It answers, and has nothing to do.')],
  busy: [() => t('busy'), () => t('It is writing answers.')],
  slow: [() => t('slow'), () => t('It writes, but slower than it usually does.')],
  thrashing: [
    () => t('short of memory'),
    () => t('Memory is short: the machine reads from its disk all the time.'),
  ],
  suspect: [() => t('suspect'), () => t('It has been silent for longer than it should be.')],
  hung_idle: [
    () => t('hung, idle'),
    () => t('An answer is open and nothing moves: it waits for ever.'),
  ],
  hung_spin: [
    () => t('hung, spinning'),
    () => t('It computes and nothing comes out: it turns in a circle.'),
  ],
  dead: [() => t('dead'), () => t('Its process is gone.')],
  cancelling: [
    () => t('cancelling'),
    () => t('What hangs is being cancelled; the questions are kept.'),
  ],
  unloading: [() => t('unloading'), () => t('The model is being dropped from memory.')],
  backoff: [() => t('pausing'), () => t('A short pause before the next restart.')],
  restarting: [() => t('restarting'), () => t('The engine is being restarted.')],
  failed: [() => t('failed'), () => t('The watchdog has given up: somebody must look.')],
  unreachable: [() => t('unreachable'), () => t('Nothing answers at its address.')],
  stopped: [() => t('stopped'), () => t('Somebody stopped it; it stays so until it is started.')],
  maintenance: [() => t('maintenance'), () => t('It is left alone; questions are taken and wait.')],
};

const REASONS: Readonly<Record<FailedReason, () => string>> = {
  budget_spent: () => t('It was restarted too often.'),
  cannot_restart: () => t('The server may not restart it.'),
  crash_loop: () => t('It ends again right after each start.'),
  port_taken: () => t('Another program has its port.'),
  restart_stuck: () => t('A restart did not come to an end.'),
};

export function stateName(state: Verdict): string {
  return own(state)?.[0]() ?? state;
}

export function stateMeaning(state: Verdict, reason: FailedReason | null): string {
  const meaning = own(state)?.[1]() ?? '';
  const why = reason !== null && Object.hasOwn(REASONS, reason) ? REASONS[reason]() : '';
  return [meaning, why].filter((part) => part !== '').join(' ');
}

export function toneOf(state: Verdict): Lane['tone'] {
  return LANES.find(({ states }) => states.includes(state))?.tone ?? 'doubt';
}

// A newer server may name a state that this page does not know.
function own(state: Verdict): Words | undefined {
  return Object.hasOwn(WORDS, state) ? WORDS[state] : undefined;
}
