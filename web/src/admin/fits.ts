// Whether a model fits the server: the words of couachgptd/core/fit.py, the texts of couachgptctl.
import { decimal, t } from '../i18n';
import { bytes } from './format';
import type { Fit } from './shapes';

const REASONS: Readonly<Record<string, () => string>> = {
  room: () => t('It fits.'),
  loaded: () => t('It fits: it is in memory already.'),
  others: () => t('It fits once the models in memory have left it, which loading it sees to.'),
  in_use: () =>
    t(
      'It is tight: other programs must give memory back first. A smaller model or context is safer.',
    ),
  little_left: () =>
    t('It is tight: hardly any memory would be left. A smaller model or context is safer.'),
  disk_low: () =>
    t('It is tight: hardly any disk would be left. Delete a model that nobody uses first.'),
  memory: () =>
    t(
      'It does not fit: the server has too little memory, whatever the context. Take a smaller model.',
    ),
  disk: () => t('It does not fit on the disk. Delete a model that nobody uses first.'),
  size_unknown: () =>
    t(
      'Whether it fits is not known: its name does not tell how large it is. Its page on ollama.com does.',
    ),
  not_told: () => t('Whether it fits is not known: the engine does not tell of its machine.'),
};

/** Says whether it fits, and what to do where it does not. */
export function fitText(fit: Fit): string {
  const tokens = fit.fitting_context_tokens;
  if (fit.reason === 'memory' && tokens) {
    return t(
      'It does not fit with this context: {tokens} tokens at most would. Lower it, or take a smaller model.',
      { tokens: decimal(tokens) },
    );
  }
  return Object.hasOwn(REASONS, fit.reason) ? (REASONS[fit.reason]?.() ?? '') : '';
}

/** Says with which figures that was found; nothing where there are none. */
export function fitFigures(fit: Fit): string {
  const parts: string[] = [];
  if (fit.memory_needed_bytes !== null) {
    parts.push(
      t('Memory: {needed} needed, {available} available of {total}', {
        needed: bytes(fit.memory_needed_bytes),
        available: bytes(fit.memory_available_bytes),
        total: bytes(fit.memory_total_bytes),
      }),
    );
  }
  if (fit.disk_needed_bytes) {
    const needed = bytes(fit.disk_needed_bytes);
    parts.push(
      fit.disk_free_bytes === null
        ? t('Disk: {needed} needed', { needed })
        : t('Disk: {needed} needed, {free} free', { needed, free: bytes(fit.disk_free_bytes) }),
    );
  }
  if (parts.length > 0 && fit.size_from === 'name') parts.push(t('estimated from its name'));
  return parts.join(' · ');
}

/**
 * Says what a load of it would do that its administrator may not want; null for nothing.
 *
 * One that does not fit the server refuses by itself, and says why.
 */
export function loadEffects(fit: Fit): string | null {
  if (fit.verdict !== 'tight') return null;
  const then = t('Loading it all the same may slow the whole server down.');
  return [fitText(fit), `${fitFigures(fit)}.`, then].join(' ');
}
