// The page without a server: kept by the service worker, and left as soon as the server is back.

const WORKER = '/service-worker.js';
const RETRY_MS = 5_000;
const KEPT_LANGUAGE = 'offline.language';

interface Policies {
  createPolicy: (
    name: string,
    rules: { createScriptURL: () => string },
  ) => {
    createScriptURL: (address: string) => string;
  };
}

/** The worker's address as the CSP wants it: made by the one policy that may. */
function workerAddress(): string {
  const { trustedTypes } = window as { trustedTypes?: Policies };
  if (trustedTypes === undefined) return WORKER;
  return trustedTypes
    .createPolicy('couach-sw', { createScriptURL: () => WORKER })
    .createScriptURL(WORKER);
}

/** Has the browser keep the page; plain HTTP on a LAN has no service worker, and does without. */
export function serveOffline(): void {
  if (!('serviceWorker' in navigator)) return;
  const { lang } = document.documentElement;
  window.addEventListener('load', () => {
    void navigator.serviceWorker
      .register(workerAddress())
      .then(() => {
        if (localStorage.getItem(KEPT_LANGUAGE) === lang) return;
        navigator.serviceWorker.controller?.postMessage('language');
        localStorage.setItem(KEPT_LANGUAGE, lang);
      })
      .catch(() => undefined); // forbidden, or no room: nothing of the chat needs it
  });
}

/** Loads the page that was wanted, as soon as the server answers. */
export function retry(): void {
  const look = async (): Promise<void> => {
    try {
      const { ok } = await fetch('/healthz', { cache: 'no-store' });
      if (ok) location.reload();
    } catch {
      // still away
    }
  };
  setInterval(() => void look(), RETRY_MS);
  window.addEventListener('online', () => void look());
}
