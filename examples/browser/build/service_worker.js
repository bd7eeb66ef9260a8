/* global self, caches, fetch */
// Keeps the files of one build of the page and answers with them. offline.ts fills in the version and the files.
// A new build waits until all tabs of the old one are closed, so that no page ever gets files of two builds.
const NAME = `tfjs-transformers ${self.registration.scope}`;
const cacheName = `${NAME} ${'VERSION'}`;
const files = ['FILES'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(['./', ...files])));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(`${NAME} `) && name !== cacheName) await caches.delete(name);
      }
      await self.clients.claim(); // the page that was there before its service worker
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  event.respondWith(
    (async () => {
      const cache = await caches.open(cacheName);
      const known = await cache.match(event.request, { ignoreSearch: true });
      return known ?? fetch(event.request);
    })(),
  );
});
