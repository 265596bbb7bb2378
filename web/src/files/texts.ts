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

export const addressOfFile = (id: string): string => `/attachments/${encodeURIComponent(id)}`;
