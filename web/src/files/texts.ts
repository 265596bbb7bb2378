// How a file is described: its size, and which part of it is sent.
import { decimal, t, tn } from '../i18n';
import type { Attachment, FilePart } from '../chat/protocol';

const KIB = 1024;

export function sizeText(bytes: number): string {
  if (bytes < KIB) return tn('{n} byte', '{n} bytes', bytes);
  if (bytes < KIB * KIB) return t('{n} KB', { n: Math.round(bytes / KIB) });
  return t('{n} MB', { n: decimal(bytes / KIB / KIB) });
}

export function partText(part: FilePart): string {
  const { unit, first, last } = part;
  if (unit === 'page') return t('pages {first} to {last}', { first, last });
  if (unit === 'line') return t('lines {first} to {last}', { first, last });
  return t('the beginning');
}

export function detailText({ size_bytes, part }: Attachment): string {
  const size = sizeText(size_bytes);
  return part === null ? size : `${size} · ${partText(part)}`;
}

const NAMED = 3;

/** Says which files are not attached: a few by their names, of the rest how many they are. */
export function leftOutText(names: readonly string[]): string {
  // Isolated: a name that is written from right to left would turn the sentence around.
  const named = names.slice(0, NAMED).map((name) => `⁨${name}⁩`);
  const rest = names.length - named.length;
  const list = { names: named.join(', ') };
  if (rest === 0) return t('Not attached: {names}.', list);
  return tn(
    'Not attached: {names} and {n} other.',
    'Not attached: {names} and {n} others.',
    rest,
    list,
  );
}

export const addressOfFile = (id: string): string => `/attachments/${encodeURIComponent(id)}`;
