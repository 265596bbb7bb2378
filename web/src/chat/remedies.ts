// What an administrator can do about trouble: on the admin page where that can do it, else in a terminal.
// `[…](/admin/…)` becomes a link, what stands between backticks a command: see `Sentence.svelte`.
import { t } from '../i18n';

export const offerAgain = (): string =>
  t(
    'A new file, or “Forget its failures” on the [Engine page](/admin/engine), makes it available again.',
  );
export const startEngine = (): string => t('The [Engine page](/admin/engine) starts it again.');
export const endMaintenance = (): string => t('The [Engine page](/admin/engine) ends it.');
export const releaseQueue = (): string => t('The [Engine page](/admin/engine) lets them go on.');
export const forgetFailures = (): string =>
  t(
    'Mend the cause, then press “Forget its failures” on the [Engine page](/admin/engine), which tells what happened, too.',
  );
export const makeItFit = (tokens: number): string =>
  t(
    'It would fit with a context of {n} tokens, which is set on the [Engine page](/admin/engine), under “Models”.',
    { n: tokens },
  );
const fetchModel = (): string =>
  t('Fetch one on the [Engine page](/admin/engine), under “Models”.');
const lookAtEngine = (): string => t('The [Engine page](/admin/engine) says more.');
const lookAtLog = (): string => t('The log on the [Server page](/admin/server) says more.');
/** Where the store cannot be used, no page can be relied on. */
const lookOnServer = (): string =>
  t('On the server, `couachgptctl status` and the log of couachgptd say more.');

/** Returns where an administrator looks, or what they do, about a code that they alone can mend. */
export function whereToLook(code: string): string {
  if (code === 'no_model') return fetchModel();
  if (code.startsWith('engine_') || code.startsWith('model_')) return lookAtEngine();
  return code.startsWith('store_') ? lookOnServer() : lookAtLog();
}

/** Returns what an administrator can do about an engine of this kind. */
export function engineRemedy(code: string, kind: string): string {
  if (code === 'engine_missing') {
    return t(
      'Install CouachGPT with its [embedded] dependencies, or choose another engine in couachgpt.toml.',
    );
  }
  if (code === 'no_model') {
    return kind === 'llama-server' ? t('Start llama-server with a model.') : fetchModel();
  }
  if (kind === 'ollama') {
    return t(
      'Start Ollama on its server (`systemctl start ollama`), or correct its address in couachgpt.toml.',
    );
  }
  if (kind === 'llama-server') {
    return t('Start llama-server, or correct its address in couachgpt.toml.');
  }
  return lookAtEngine();
}
