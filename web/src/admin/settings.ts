// The settings that may be changed while the server runs: their names for people, and their controls.
import { t } from '../i18n';

export interface Setting {
  readonly name: string;
  readonly value: string | number | boolean;
  readonly configured: string | number | boolean;
  readonly source: 'configuration' | 'stored';
}

const LABELS: Readonly<Record<string, () => string>> = {
  'accounts.registration': () => t('Who may make an account'),
  'backup.nightly': () => t('A backup every night'),
  'backup.hour': () => t('Hour of the night’s work'),
  'retention.conversation_days': () => t('Keep conversations, in days (0: for ever)'),
  'retention.bin_days': () => t('Keep the bin, in days (0: for ever)'),
  'retention.audit_days': () => t('Keep the audit log, in days (0: for ever)'),
  'retention.incident_days': () => t('Keep incidents, in days (0: for ever)'),
  'brand.name': () => t('Name'),
  'brand.accent': () => t('Colour on light'),
  'brand.accent_dark': () => t('Colour on dark'),
};

const CHOICES: Readonly<
  Record<string, readonly (readonly [value: string, label: () => string])[]>
> = {
  'accounts.registration': [
    ['closed', () => t('nobody')],
    ['invitation', () => t('who has an invitation link')],
    ['approval', () => t('everybody, after approval')],
    ['open', () => t('everybody, at once')],
  ],
};

export function settingLabel(name: string): string {
  return (Object.hasOwn(LABELS, name) ? LABELS[name]?.() : undefined) ?? name;
}

export function choicesOf(name: string): readonly (readonly [string, () => string])[] {
  return (Object.hasOwn(CHOICES, name) ? CHOICES[name] : undefined) ?? [];
}

/** Returns what a value is called, as people read it. */
export function said(name: string, value: Setting['value']): string {
  if (typeof value === 'boolean') return value ? t('yes') : t('no');
  const choice = choicesOf(name).find(([each]) => each === value);
  return choice?.[1]() ?? String(value);
}

/** Which control a setting has. */
export function controlOf({
  name,
  value,
}: Setting): 'choice' | 'switch' | 'number' | 'color' | 'text' {
  if (choicesOf(name).length > 0) return 'choice';
  if (typeof value === 'boolean') return 'switch';
  if (typeof value === 'number') return 'number';
  return name.startsWith('brand.accent') ? 'color' : 'text';
}
