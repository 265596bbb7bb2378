// What the watchdog's words for the engine mean for who asks.
import type { EngineState } from './protocol';
import type { View } from './view';

export type Seen = Pick<View, 'status' | 'engine' | 'models' | 'running'>;

/** It does not answer, and is being brought back. */
export const HEALING: ReadonlySet<EngineState> = new Set([
  'hung_idle',
  'hung_spin',
  'dead',
  'cancelling',
  'unloading',
  'backoff',
  'restarting',
]);
/** It is given nothing until it is back, or until a person says so: questions are kept and wait. */
export const PAUSED: ReadonlySet<EngineState> = new Set([
  'failed',
  'stopped',
  'unreachable',
  'maintenance',
  'held',
]);

export const isHealing = (state: EngineState): boolean => HEALING.has(state);
export const isPaused = (state: EngineState): boolean => PAUSED.has(state);

/** Returns the code of what keeps questions from being taken, as far as the banner tells it. */
export function engineProblem({ status, engine, models }: Omit<Seen, 'running'>): string | null {
  if (status !== 'open' || engine === null) return null;
  const isPromised = models.length > 0 && (PAUSED.has(engine.state) || HEALING.has(engine.state));
  if (!engine.is_up) return isPromised ? null : (engine.detail ?? 'engine_unavailable');
  return models.length === 0 ? 'no_model' : null;
}
