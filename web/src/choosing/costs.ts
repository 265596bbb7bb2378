// What is said of a model before it is chosen: what it costs here, and what it can.
import type { Model, ModelFacts } from '../chat/protocol';
import { decimal, t } from '../i18n';

const GIGABYTE = 1e9;
const CHARACTERS_PER_TOKEN = 3.5; // rather too few: what is announced must fit

/** Returns about how many tokens a text takes; only the engine could count them. */
export const tokensIn = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

const gigabytes = (bytes: number): string => t('{n} GB', { n: decimal(bytes / GIGABYTE) });
const seconds = (value: number): number => Math.max(1, Math.round(value));

/** Returns its size, as the engine tells of it. */
export function sizeText({ size_bytes: size, parameters, quantization }: Model): string {
  const parts = [parameters, quantization, size === null ? null : gigabytes(size)];
  return parts.filter((part) => part !== null).join(' · ');
}

/** Returns what it takes in memory, and whether this machine has that. */
export function memoryText(facts: ModelFacts | undefined): string {
  if (facts === undefined || facts.memory_bytes === null) return '';
  const needed = t('{size} of memory', { size: gigabytes(facts.memory_bytes) });
  switch (facts.fit) {
    case 'does_not_fit':
      return t('{needed}: more than this server has', { needed });
    case 'tight':
      return t('{needed}: tight here', { needed });
    default:
      return needed;
  }
}

/** Returns how fast it writes here, as it was measured. */
export function speedText(facts: ModelFacts | undefined): string {
  if (facts === undefined) return '';
  return facts.tokens_per_second === null
    ? t('speed not measured here yet')
    : t('{n} tokens/s here', { n: decimal(facts.tokens_per_second) });
}

/** Returns whether it answers at once, else how long its load took here. */
export function loadText(model: Model, facts: ModelFacts | undefined): string {
  if (model.is_loaded) return t('ready');
  const took = facts?.load_seconds ?? null;
  return took === null ? t('must be loaded first') : t('≈ {n} s to load', { n: seconds(took) });
}

/** Returns why it cannot be used; '' where it can. */
export function faultText({ is_broken: isBroken, is_quarantined: isAside }: Model): string {
  if (isAside) return t('set aside: it failed to load too often');
  return isBroken ? t('its file is damaged') : '';
}

/** Returns what it can besides writing. */
export function abilityTexts({ abilities }: Model): string[] {
  const thinks = abilities.includes('thinking') || abilities.includes('always_thinks');
  return [
    ...(thinks ? [t('thinks first')] : []),
    ...(abilities.includes('vision') ? [t('sees images')] : []),
  ];
}
