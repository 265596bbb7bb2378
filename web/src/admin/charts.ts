// Which figures each chart shows, and how they are said.
import { decimal, t } from '../i18n';
import { bytes, duration } from './format';
import type { Range, Samples } from './shapes';

export const SECONDS: Readonly<Record<Range, number>> = {
  '1h': 3600,
  '24h': 86_400,
  '7d': 604_800,
};

export interface ChartShape {
  readonly title: () => string;
  readonly lines: readonly (readonly [series: string, label: () => string])[];
  readonly say: (value: number) => string;
  /** How high the drawing is where all figures are small. */
  readonly least: number;
}

export const CHARTS: readonly ChartShape[] = [
  {
    title: () => t('Processor, in cores'),
    lines: [
      ['machine_cores', () => t('machine')],
      ['engine_cores', () => t('engine')],
      ['daemon_cores', () => t('daemon')],
    ],
    say: decimal,
    least: 1,
  },
  {
    title: () => t('Memory'),
    lines: [
      ['machine_memory_bytes', () => t('machine')],
      ['engine_memory_bytes', () => t('engine')],
      ['daemon_memory_bytes', () => t('daemon')],
    ],
    say: bytes,
    least: 1e6,
  },
  {
    title: () => t('Tokens per second'),
    lines: [['tokens_per_second', () => t('written')]],
    say: decimal,
    least: 1,
  },
  {
    title: () => t('Queue'),
    lines: [
      ['running', () => t('under way')],
      ['queued', () => t('waiting')],
    ],
    say: decimal,
    least: 1,
  },
  {
    title: () => t('Wait'),
    lines: [['wait_seconds', () => t('as told to half of those that wait')]],
    say: duration,
    least: 10,
  },
];

/** Returns the last figure that is known of a series, and the highest; null where there is none. */
export function summary(values: Samples['series'][string]): { last: number; most: number } | null {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  return last === undefined ? null : { last, most: Math.max(...known) };
}
