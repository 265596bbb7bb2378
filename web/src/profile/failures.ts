// What an error code says on the profile page: the chat's sentences, but for those it means otherwise.
import { errorText } from '../chat/errors';
import { RequestError } from '../chat/socket';
import { t } from '../i18n';

const SENTENCES: Readonly<Record<string, () => string>> = {
  wrong_password: () => t('This is not your password. Try again.'),
  not_found: () => t('This session has ended already.'),
  last_administrator: () =>
    t('You are the last administrator: name another one first, on the People page.'),
};

/** Says what was thrown; a fault of ours is left to the console. */
export function thrownText(error: unknown): string {
  if (!(error instanceof RequestError)) {
    console.error(error);
    return errorText('internal_error', {});
  }
  const own = Object.hasOwn(SENTENCES, error.code) ? SENTENCES[error.code] : undefined;
  return own?.() ?? errorText(error.code, error.fields);
}
