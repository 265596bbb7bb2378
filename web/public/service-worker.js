// Shows a page of ours where the server cannot be reached; VERSION, OFFLINE and FILES come before.
// It keeps nothing of the app itself, so that an upgrade is never hidden by an old copy.
const CACHE = `offline-${VERSION}`;

async function keep() {
  const cache = await caches.open(CACHE);
  // Past the browser's own cache: what an upgrade brought is wanted.
  await cache.addAll([OFFLINE, ...FILES].map((path) => new Request(path, { cache: 'reload' })));
}

async function takeOver() {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
  await self.registration.navigationPreload?.enable(); // the worker's start delays no page
  await self.clients.claim();
}

async function opened(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

async function fetched(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request)) ?? Response.error();
  }
}

self.addEventListener('install', (event) => {
  event.waitUntil(keep());
  self.skipWaiting();
});
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));
self.addEventListener('fetch', (event) => {
  if (event.request.mode === 'navigate') event.respondWith(opened(event));
  else if (FILES.includes(new URL(event.request.url).pathname)) {
    event.respondWith(fetched(event.request));
  }
});
// The person chose another language: the page that is kept is to speak it, too.
self.addEventListener('message', (event) => event.waitUntil(keep()));
