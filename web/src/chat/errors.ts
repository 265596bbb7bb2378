// What each error code says to people, and what they can do about it.
import { decimal, t, tn } from '../i18n';
import type { Fields } from './protocol';
import { engineRemedy, makeItFit, offerAgain, startEngine, whereToLook } from './remedies';

type Sentence = (fields: Fields, isAdmin: boolean) => string;

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

const GIGABYTE = 1e9;
const MEBIBYTE = 1024 * 1024;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  // ours, on this side of the wire
  connection_lost: () =>
    t('The connection was lost before the server answered. Please try again in a moment.'),

  // what a person asked for
  internal_error: () => t('Something went wrong on the server.'),
  not_found: () => t('This conversation does not exist, or it is not yours.'),
  not_allowed: () =>
    t('Your account may not do this. Ask your administrator if you need this right.'),
  bad_request: () => t('The page and the server do not understand each other. Reload the page.'),
  option_invalid: (fields) =>
    t('{name} must be between {least} and {most}.', {
      name: text(fields.name),
      least: text(fields.least),
      most: text(fields.most),
    }),
  system_prompt_too_long: (fields) =>
    t('The instructions of this conversation are too long: {max_length} characters fit.', {
      max_length: text(fields.max_length),
    }),
  message_empty: () => t('Your message is empty. Write a question first.'),
  message_too_long: (fields) =>
    t(
      'Your message is too long: about {tokens} tokens, and {limit_tokens} fit. Shorten it or split it.',
      { tokens: text(fields.tokens), limit_tokens: text(fields.limit_tokens) },
    ),
  title_invalid: (fields) =>
    t('A title has 1 to {max_length} characters.', { max_length: text(fields.max_length) }),
  prompt_invalid: (fields) =>
    t('A prompt has 1 to {max_length} characters.', { max_length: text(fields.max_length) }),
  prompts_full: (fields) =>
    t('{most} prompts are kept, and no more. Delete one that is no longer used.', {
      most: text(fields.most),
    }),
  preset_name_invalid: (fields) =>
    t('A preset’s name has 1 to {max_length} characters.', { max_length: text(fields.max_length) }),
  preset_taken: (fields) =>
    t('There is a preset “{name}” already. Choose another name, or replace it.', {
      name: text(fields.name),
    }),
  preset_empty: () =>
    t('There is nothing to keep: every setting is the default. Change one, or keep the model.'),
  presets_full: (fields) =>
    t('{most} presets are kept, and no more. Delete one that is no longer used.', {
      most: text(fields.most),
    }),
  folder_name_invalid: (fields) =>
    t('A folder’s name has 1 to {max_length} characters.', { max_length: text(fields.max_length) }),
  folder_taken: (fields) =>
    t('You have a folder “{name}” already. Choose another name.', { name: text(fields.name) }),
  folders_full: (fields) =>
    t('You have {limit} folders, and more are not possible. Remove one first.', {
      limit: text(fields.limit),
    }),
  turn_running: () =>
    t('An answer is already being written here. Wait for its end, or stop it first.'),
  queue_full: (fields) =>
    t(
      'Too many questions are waiting ({waiting} now). Your text is kept: try again in a few minutes.',
      { waiting: text(fields.waiting) },
    ),
  too_many_connections: () =>
    t('Too many administration tools are connected to the server. Try again in a moment.'),

  // accounts
  login_taken: () => t('This user name is taken. Choose another one.'),
  login_invalid: (fields) =>
    t(
      'A user name has {min_length} to {max_length} characters, no spaces, and none of / ? # % ; = , < > " \'. Choose another one.',
      { min_length: text(fields.min_length), max_length: text(fields.max_length) },
    ),
  password_too_short: (fields) =>
    t('This password is too short: use at least {min_length} characters.', {
      min_length: text(fields.min_length),
    }),
  password_too_long: (fields) =>
    t('This password is too long: use at most {max_length} characters.', {
      max_length: text(fields.max_length),
    }),
  passwords_differ: () => t('The two passwords differ. Type the same one twice.'),
  wrong_password: () => t('Wrong user name or password. Check both and try again.'),
  password_needed: () => t('Type your password again first.'),
  account_pending: () =>
    t('Your account is waiting for an administrator to approve it. Try again later.'),
  account_suspended: () => t('Your account is suspended.'),
  registration_closed: () =>
    t('New accounts cannot be requested here. Ask your administrator to create one for you.'),
  too_many_attempts: (fields) =>
    tn(
      'Too many attempts. Try again in {n} second.',
      'Too many attempts. Try again in {n} seconds.',
      count(fields.retry_seconds),
    ),
  setup_link_invalid: () =>
    t('This link has been used or is too old. Ask your administrator for a new one.'),
  turn_not_found: () => t('This answer has ended.'),
  restart_unavailable: () => t('Nobody would start the server again: it is not run by systemd.'),
  config_invalid: () => t('The configuration has a mistake; nothing was changed.'),
  log_unavailable: () => t('The log of the AI engine cannot be read from here.'),
  setup_done: () => t('There is an administrator already: the set-up is done.'),
  link_invalid: () =>
    t('This link has been used or is too old. Ask your administrator for a new one.'),
  last_administrator: () => t('This is the last active administrator: name another one before.'),
  form_expired: () => t('This page was open for too long. Reload it and try again.'),

  // shares, and files of conversations
  person_unknown: () => t('Nobody with an active account has this user name.'),
  shared_enough: (fields) =>
    t('At most {limit} people may read it.', {
      limit: text(fields.limit),
    }),
  import_broken: () => t('This file is damaged: nothing was imported.'),
  import_unknown: () => t('No conversation was found in this file.'),
  import_too_new: () =>
    t('This file comes from a newer version of CouachGPT: nothing was imported.'),
  import_too_large: (fields) =>
    t('This file is too large: {limit} MB at most.', {
      limit: Math.round(count(fields.limit_bytes) / 1_048_576),
    }),
  import_locked: () =>
    t('This zip file is locked with a password: unlock it, then import it again.'),
  import_running: () => t('Another file of yours is being imported.'),
  import_stalled: () => t('The file stopped coming: nothing was imported. Try again.'),

  sandbox_missing: () =>
    t('The server has nothing to open a file safely with, so it did not open it.'),
  sandbox_failed: () =>
    t('The file could not be checked. It may be too complicated: try a simpler one.'),
  file_refused: (fields) =>
    t(
      'The file was refused ({reason}). Take a PNG or SVG picture of 256 KiB at most, without scripts or outside links.',
      { reason: text(fields.reason) },
    ),

  // files
  attachment_refused: () => t('This file cannot be read.'),
  attachment_too_large: (fields) =>
    t('This file is too large: {size} MB at most.', {
      size: Math.floor(count(fields.limit_bytes) / MEBIBYTE),
    }),
  attachments_full: () => t('There is no room for more files.'),
  too_many_attachments: (fields) =>
    tn('{n} file at most at once.', '{n} files at most at once.', count(fields.limit)),
  model_blind: (fields) =>
    t('{model} cannot see pictures. Choose a model that can, or remove the picture.', {
      model: text(fields.model),
    }),

  // the engine
  engine_failed: () => t('The AI engine failed. Try again in a moment.'),
  engine_unavailable: () => t('The AI engine does not answer.'),
  engine_missing: () => t('The AI engine is not installed on the server.'),
  engine_port_taken: () =>
    t('The AI engine could not start at its usual place. Try again in a moment.'),
  engine_cpu_unsupported: () => t('The AI engine cannot run on the processor of this server.'),
  engine_killed: () =>
    t(
      'The AI engine was stopped, most often because memory ran out. Try again, or choose a smaller model.',
    ),
  engine_out_of_memory: () =>
    t(
      'The AI engine ran out of memory over this question. Shorten it, start a new conversation or choose a smaller model.',
    ),
  question_quarantined: () =>
    t(
      'The AI engine broke down twice over this question, so it is not tried again. Put it another way or shorten it.',
    ),
  engine_not_controlled: () => t('The engine could not be started or stopped.'),
  engine_stopped: (_fields, isAdmin) =>
    isAdmin
      ? [t('The engine was stopped.'), startEngine()].join(' ')
      : t('The engine was stopped. Your administrator starts it again.'),
  engine_busy: () => t('The AI engine is busy. Try again in a moment.'),
  engine_timeout: (fields) =>
    tn(
      'The AI engine made no progress for {n} second. Try again.',
      'The AI engine made no progress for {n} seconds. Try again.',
      Math.round(count(fields.seconds)),
    ),
  answer_interrupted: () =>
    t('The answer was cut before its end. What was written is kept: continue it or ask again.'),
  engine_rejected: (fields) =>
    typeof fields.reason === 'string'
      ? t('The AI engine refused the request: {reason}. Try again or choose another model.', {
          reason: fields.reason,
        })
      : t('The AI engine refused the request. Try again or choose another model.'),
  context_exceeded: (fields) =>
    t(
      'This is too long for the model: {tokens} tokens, and {limit_tokens} fit. Shorten the question or start a new conversation.',
      { tokens: text(fields.tokens), limit_tokens: text(fields.limit_tokens) },
    ),
  model_missing: (fields) =>
    t('The model {model} is no longer on the server. Choose another one.', {
      model: text(fields.model),
    }),
  model_broken: (fields) =>
    t('The file of the model {model} is damaged. Choose another model.', {
      model: text(fields.model),
    }),
  model_quarantined: (fields) =>
    t('The model {model} failed to load too often and is set aside. Choose another model.', {
      model: text(fields.model),
    }),
  model_hidden: (fields) =>
    t(
      'The model {model} is no longer offered to you. Choose another one, then have the question answered again.',
      { model: text(fields.model) },
    ),
  model_too_large: (fields, isAdmin) => {
    const context = count(fields.fitting_context_tokens);
    return [
      t(
        'The model {model} is too large for this server: it needs {needed} GB of memory, and there are {total} GB. Choose a smaller one.',
        {
          model: text(fields.model),
          needed: decimal(count(fields.needed_bytes) / GIGABYTE),
          total: decimal(count(fields.total_bytes) / GIGABYTE),
        },
      ),
      ...(context > 0
        ? [
            isAdmin
              ? makeItFit(context)
              : t('Your administrator can make it fit with a context of {n} tokens.', {
                  n: context,
                }),
          ]
        : []),
    ].join(' ');
  },
  no_model: () => t('There is no model for you on the server yet.'),

  // a model that is fetched
  starter_unavailable: () => t('This starter model cannot be had with the engine that runs.'),
  fetch_running: () =>
    t('A starter model is being fetched already. Try again when it is there, or cancel it.'),
  fetch_failed: ({ reason }) =>
    t(
      'The model could not be fetched. Try again, which goes on from what came, or put a GGUF file into the models’ folder. ({reason})',
      { reason: text(reason) },
    ),
  hash_wrong: () =>
    t('What came is not the model of the catalogue, and was removed. Try again later.'),
  disk_full: () =>
    t('The disk has not enough room for this model. Free some space, then try again.'),
  disk_failed: ({ path }) =>
    t('The folder of models cannot be written: {path}. Give it to the daemon’s user.', {
      path: text(path),
    }),

  // the store
  store_failed: () => t('The server cannot save anything right now.'),
  store_missing: () => t('The place where the server keeps its data is missing.'),
  store_read_only: () => t('The server may only read its data, not save.'),
  store_corrupt: () => t("The server's data is damaged."),
  store_too_new: () => t("The server's data comes from a newer version."),
  store_locked: () => t('Another program holds the server’s data.'),
  store_full: () => t("The server's disk is full: nothing can be saved."),

  // the daemon
  daemon_restarted: () =>
    t(
      'The server was restarted while this was being written. What was written is kept: continue it or ask again.',
    ),
  server_stopping: () => t('The server is restarting. Try again in a moment.'),
};

export const CODES: readonly string[] = Object.keys(SENTENCES);

// What only an administrator can mend; so is a code that is not known here.
const FOR_ADMINS: ReadonlySet<string> = new Set([
  'internal_error',
  'account_suspended',
  'engine_unavailable',
  'engine_missing',
  'engine_cpu_unsupported',
  'model_broken',
  'no_model',
  'store_failed',
  'store_missing',
  'store_read_only',
  'store_corrupt',
  'store_too_new',
  'store_locked',
  'store_full',
]);

/** Returns what happened and what to do, for any code, also one that is not known here. */
export function errorText(code: string, fields: Fields, isAdmin = false): string {
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined;
  const what = sentence?.(fields, isAdmin) ?? t('Something went wrong ({code}).', { code });
  if (code === 'model_quarantined' && isAdmin) return `${what} ${offerAgain()}`;
  if (sentence !== undefined && !FOR_ADMINS.has(code)) return what;
  return `${what} ${isAdmin ? whereToLook(code) : askAdmin()}`;
}

/** Returns what the banner says of an engine of this kind that cannot answer now, and why. */
export function engineText(code: string, kind: string, isAdmin: boolean): string {
  return `${engineState(code)} ${isAdmin ? engineRemedy(code, kind) : askAdmin()}`;
}

export const askAdmin = (): string => t('Please tell your administrator.');

function engineState(code: string): string {
  switch (code) {
    case 'engine_missing':
    case 'engine_cpu_unsupported':
    case 'no_model':
      return SENTENCES[code]?.({}, false) ?? '';
    case 'engine_unavailable':
    case 'engine_timeout':
      return t('The AI engine does not answer.');
    default:
      return t('The AI engine does not answer as it should.');
  }
}
