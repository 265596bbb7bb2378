// What can be wrong at a glance; the words of couachgptd/core/health.py, the texts of couachgptctl.
import { t } from '../i18n';

const PROBLEMS: Readonly<Record<string, () => string>> = {
  engine_failed: () => t('The engine has failed, and is given up.'),
  engine_stopped: () => t('The engine was stopped by a person.'),
  engine_unreachable: () => t('The engine does not answer, and cannot be restarted from here.'),
  no_model: () => t('There is no model.'),
  disk_full: () => t('The disk is full.'),
  engine_maintenance: () => t('The engine is under maintenance.'),
  engine_in_trouble: () => t('The engine is in trouble, and being mended.'),
  engine_down: () => t('The engine does not answer.'),
  queue_held: () => t('The queue is held by a person.'),
  disk_low: () => t('The disk is nearly full.'),
  memory_low: () => t('The memory is nearly used up.'),
  backup_failed: () => t('The last backup failed.'),
  backup_overdue: () => t('No nightly backup is younger than 48 hours.'),
  stopping: () => t('The daemon is about to end.'),
};

export function problemText(word: string): string {
  return Object.hasOwn(PROBLEMS, word) ? (PROBLEMS[word]?.() ?? word) : word;
}
