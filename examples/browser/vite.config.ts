/** How the page is built: `npm run browser`, or `npx vite build examples/browser`. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { offline } from './build/offline.js';
import { wasmThreads } from './build/wasm_threads.js';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './', // addresses relative to the page: any host, any folder
  plugins: [wasmThreads(), offline()],
  worker: { format: 'es', plugins: () => [wasmThreads()] },
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'], // they know light-dark(); rewritten, it ignores the switch
    outDir: fileURLToPath(new URL('output/page', import.meta.url)),
    emptyOutDir: true,
    chunkSizeWarningLimit: 2000,
  },
  preview: {
    // With these two headers a page may share memory between threads, which the wasm backend then does.
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
});
