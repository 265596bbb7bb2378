// What an error code says to an administrator: the chat's sentences, but for those it means otherwise.
import { errorText } from '../chat/errors';
import type { Failure } from '../chat/protocol';
import { RequestError } from '../chat/socket';
import { t } from '../i18n';

const SENTENCES: Readonly<Record<string, () => string>> = {
  not_found: () => t('This is not there any more. Reload the page.'),
  wrong_password: () => t('This is not your password. Try again.'),
  setup_done: () => t('There is an administrator already.'),
  account_suspended: () => t('This account is suspended: let it in again first.'),
};

export function failureText({ code, fields }: Failure): string {
  const own = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  return own?.() ?? errorText(code, fields, true);
}

/** Says what was thrown; a fault of ours is left to the console. */
export function thrownText(error: unknown): string {
  if (error instanceof RequestError) return failureText(error);
  console.error(error);
  return failureText({ code: 'internal_error', fields: {} });
}
