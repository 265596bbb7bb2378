// Bytes, durations and moments, as people say them.
import { localeFor } from '../chat/days';
import { decimal, t, tn } from '../i18n';

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value >= 1e12) return t('{n} TB', { n: decimal(value / 1e12) });
  if (value >= 1e9) return t('{n} GB', { n: decimal(value / 1e9) });
  if (value >= 1e6) return t('{n} MB', { n: decimal(value / 1e6) });
  if (value >= 1e3) return t('{n} kB', { n: decimal(value / 1e3) });
  return tn('{n} byte', '{n} bytes', value);
}

/** Returns such as "8 GB free of 16 GB". */
export function freeOf(free: number, total: number): string {
  return t('{free} free of {total}', { free: bytes(free), total: bytes(total) });
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('{n} s', { n: whole });
  if (whole < 3600) return t('{n} min', { n: Math.round(whole / 60) });
  if (whole < 172_800) {
    const hours = Math.floor(whole / 3600);
    const minutes = Math.round((whole % 3600) / 60);
    return minutes === 0 ? t('{n} h', { n: hours }) : t('{n} h {m} min', { n: hours, m: minutes });
  }
  return tn('{n} day', '{n} days', Math.round(whole / 86_400));
}

/** Returns a moment of the server's, in the browser's zone; '–' for none. */
export function moment(text: string | null | undefined, language: string): string {
  if (text === null || text === undefined) return '–';
  const format = new Intl.DateTimeFormat(localeFor(language), {
    dateStyle: 'medium',
    timeStyle: 'short',
  });
  return format.format(new Date(text));
}

/** Returns how long ago a moment of the server's was. */
export function ago(text: string, now: number = Date.now()): string {
  return duration((now - Date.parse(text)) / 1000);
}
