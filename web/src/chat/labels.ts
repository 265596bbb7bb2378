// What the tools of a drawn answer are called, in the language of the page.
import { t } from '../i18n';
import type { Labels } from '../markdown';

export function drawingLabels(): Labels {
  return {
    copy: t('Copy'),
    copied: t('Copied'),
    copyFailed: t('Could not copy'),
    save: t('Save as a file'),
    wrap: t('Wrap long lines'),
  };
}
