// The texts that only administrators read: a file of its own, which no chat page loads.
import { loadTexts } from '../i18n';

export async function loadAdminTexts(language: string): Promise<void> {
  await loadTexts(language, {
    fr: () => import('../generated/admin.fr.json'),
    en: () => import('../generated/admin.en.json'),
  });
}
