// Why a file was not taken, and what one can do about it.
import { t } from '../i18n';

const REFUSED: Readonly<Record<string, () => string>> = {
  empty: () => t('This file is empty.'),
  name: () => t('The name of this file has characters that are not allowed. Rename it.'),
  wrong_ending: () => t('The content of this file is not what its name says. Check the file.'),
  unsupported: () =>
    t('Files of this kind cannot be read. Take text, PDF, DOCX, ODT, XLSX, HTML or a picture.'),
  old: () => t('This file is in an old Office format. Save it as DOCX, XLSX or PDF.'),
  encrypted: () => t('This file is protected by a password. Save a copy without it.'),
  damaged: () => t('This file is damaged: it cannot be opened.'),
  no_text: () => t('This PDF has no text, only pictures of it. Run text recognition on it first.'),
  bomb: () => t('This file would overload the server when unpacked: it was not opened.'),
  dimensions: () => t('This picture has too many pixels. Make it smaller.'),
  time: () => t('This file took too long to arrive. Try again.'),
};

export function refusedFile(reason: unknown): string {
  const sentence = typeof reason === 'string' ? REFUSED[reason] : undefined;
  return sentence?.() ?? t('This file is too complicated to be read. Try a simpler one.');
}

export function fullOf(whose: unknown): string {
  if (whose === 'person')
    return t('Your files take all the room that you have. Delete conversations with files.');
  return t('The server has no room for more files. Tell your administrator.');
}
