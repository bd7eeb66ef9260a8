/** Keeps the page for the next time without a network. */

/** Starts the service worker that build/offline.ts made; there is none while developing. */
export async function keepOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('./service_worker.js');
  } catch {
    // Without it (a page of http:, a private window) the page works as long as there is a network.
  }
}
