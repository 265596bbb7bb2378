// Says what went wrong, as soon as the sentences for it are there: they are a later part of the page.
import { t } from '../i18n';
import { troubles } from './parts';
import type { Fields } from './protocol';
import { RequestError } from './socket';

/** Returns what happened and what to do, see `errors.ts`. */
export function errorText(code: string, fields: Fields, isAdmin = false): string {
  return (
    troubles.now?.errorText(code, fields, isAdmin) ?? t('Something went wrong ({code}).', { code })
  );
}

/** Returns why a request was refused; throws whatever else it is, which is a fault of ours. */
export function refusalText(error: unknown, isAdmin = false): string {
  if (!(error instanceof RequestError)) throw error;
  return errorText(error.code, error.fields, isAdmin);
}
