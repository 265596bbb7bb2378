// What an error code says to an administrator: the chat's sentences, but for those it means otherwise.
import { errorText } from '../chat/errors';
import type { Failure, Fields } from '../chat/protocol';
import { RequestError } from '../chat/socket';
import { t } from '../i18n';

const SENTENCES: Readonly<Record<string, (fields: Fields) => string>> = {
  not_found: () => t('This is not there any more. Reload the page.'),
  wrong_password: () => t('This is not your password. Try again.'),
  setup_done: () => t('There is an administrator already.'),
  account_suspended: () => t('This account is suspended: let it in again first.'),
  model_missing: ({ model }) =>
    t('There is no model {model}: check its name.', { model: String(model) }),
  engine_not_controlled: ({ reason }) =>
    reason === 'unsupported'
      ? t(
          'This engine cannot be started or stopped from here: it is on another machine, or was started by hand.',
        )
      : t(
          'That could not be done to the engine ({reason}). On the server, “couachgptctl doctor” says what is missing.',
          { reason: String(reason) },
        ),
};

export function failureText({ code, fields }: Failure): string {
  const own = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  return own?.(fields) ?? errorText(code, fields, true);
}

/** Says what was thrown; a fault of ours is left to the console. */
export function thrownText(error: unknown): string {
  if (error instanceof RequestError) return failureText(error);
  console.error(error);
  return failureText({ code: 'internal_error', fields: {} });
}
