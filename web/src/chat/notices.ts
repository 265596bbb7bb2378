// What the banner tells everybody of the engine: the watchdog's word for it, and what to do about it.
import { t } from '../i18n';
import type { Seen } from './engine';
import { engineProblem, HEALING, PAUSED } from './engine';
import { askAdmin, engineText } from './errors';
import type { Engine, EngineState, FailedReason } from './protocol';
import {
  endMaintenance,
  engineRemedy,
  forgetFailures,
  releaseQueue,
  startEngine,
} from './remedies';

export interface Notice {
  readonly text: string;
  /** What to do about it, in the second place; '' where there is nothing to do. */
  readonly remedy: string;
  /** It may be over within a moment: say it only if it is not. */
  readonly isLate: boolean;
}

/** It works, or the watchdog still thinks that it does: a probe without an answer is no news. */
const DOUBTFUL: ReadonlySet<EngineState> = new Set(['slow', 'thrashing', 'suspect']);
/** No restart will help: what the probe found says more than the state. */
const HOPELESS: ReadonlySet<string> = new Set(['engine_missing', 'engine_cpu_unsupported']);

/** Returns what the banner says of the engine; null where there is nothing to tell. */
export function engineNotice(seen: Seen, isAdmin: boolean): Notice | null {
  const { status, engine, models, running } = seen;
  if (status !== 'open' || engine === null) return null;
  const { state, detail, is_up: isUp, kind } = engine;
  if (!isUp && detail !== null && HOPELESS.has(detail)) {
    return { text: engineText(detail, kind, isAdmin), remedy: '', isLate: false };
  }
  // A question needs a model, and an engine that never answered named none.
  const promise = models.length > 0 ? [state === 'held' ? resumed() : kept()] : [];
  if (PAUSED.has(state)) {
    const text = [paused(engine), ...promise].join(' ');
    return { text, remedy: remedyOf(engine, isAdmin), isLate: false };
  }
  if (HEALING.has(state)) {
    // Whoever waits for an answer reads it there.
    return running === null ? late(healing()) : null;
  }
  if (state === 'starting' && !isUp) {
    return late(models.length > 0 ? starting() : waiting());
  }
  if (DOUBTFUL.has(state) && !isUp) return null;
  if (!isUp && detail === null) return late(waiting()); // being asked just now
  const problem = engineProblem(seen);
  if (problem === null) return null;
  return { text: engineText(problem, kind, isAdmin), remedy: '', isLate: false };
}

const late = (text: string): Notice => ({ text, remedy: '', isLate: true });

const waiting = (): string => t('Waiting for the AI engine…');
const starting = (): string => t('The AI engine is starting: questions wait until it is ready.');
const healing = (): string =>
  t('The AI engine no longer answers and is being restarted. Your questions are kept.');
const resumed = (): string => t('You can go on asking: questions are kept and answered later.');
const kept = (): string => t('You can go on asking: questions are kept until it works again.');

function paused({ state, reason }: Engine): string {
  switch (state) {
    case 'stopped':
      return t('The AI engine has been stopped on the server.');
    case 'unreachable':
      return t('The AI engine cannot be reached.');
    case 'maintenance':
      return t('The AI engine is under maintenance.');
    case 'held':
      return t('Answers are paused by an administrator.');
    default:
      return reason === 'port_taken'
        ? t('The AI engine cannot start, another program uses its port. Answers are paused.')
        : t('The AI engine has broken down. Answers are paused.');
  }
}

/** Returns what to do about it; who cannot do anything is told whom to tell. */
function remedyOf({ state, reason, kind }: Engine, isAdmin: boolean): string {
  switch (state) {
    case 'stopped':
      if (!isAdmin) return ''; // somebody wanted it so
      return kind === 'llama-server' ? t('Start it again on the server.') : startEngine();
    case 'maintenance':
      return isAdmin ? endMaintenance() : '';
    case 'held':
      return isAdmin ? releaseQueue() : '';
    case 'unreachable':
      return isAdmin ? engineRemedy('engine_unavailable', kind) : askAdmin();
    default:
      if (!isAdmin) return askAdmin();
      return `${why(reason)} ${forgetFailures()}`.trim();
  }
}

function why(reason: FailedReason | null): string {
  switch (reason) {
    case 'budget_spent':
      return t('It was restarted too often, in vain.');
    case 'cannot_restart':
      return t('It does not answer, and CouachGPT has no means to restart it.');
    case 'crash_loop':
      return t('It starts and ends again and again.');
    case 'restart_stuck':
      return t('Its restart does not come to an end.');
    case 'port_taken': // said already, to everybody
    case null:
      return '';
    default:
      return reason satisfies never;
  }
}
