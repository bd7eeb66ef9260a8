/** Makes the threaded wasm backend of TensorFlow.js 4.22 survive minification. */
import type { Plugin } from 'vite';

/**
 * Its start-up sends its own source text (`factory.toString()`) to the threads. That text mentions a variable of the
 * scope around it, `_scriptDir`, behind `typeof _scriptDir !== "undefined"`. A minifier knows that the variable exists,
 * shortens its name and drops the guard; in the thread the short name is unknown, the thread dies, and
 * `tf.setBackend('wasm')` waits for ever. A page has no use for the variable, so it is taken out.
 *
 * @returns The plugin; a page needs it in `plugins` and, when workers use the backend, in `worker.plugins`.
 */
export function wasmThreads(): Plugin {
  return {
    name: 'wasm-threads',
    transform: {
      filter: { id: /tfjs-backend-wasm-threaded-simd\.js/ },
      handler(code) {
        const changed = code
          .replace(
            /if\s*\(typeof _scriptDir !== "undefined" && _scriptDir\)\s*\{scriptDirectory=_scriptDir\}/,
            '',
          )
          .replace('Module["mainScriptUrlOrBlob"]||_scriptDir', 'Module["mainScriptUrlOrBlob"]');
        if (code.includes('_scriptDir') && changed === code)
          this.error('tfjs-backend-wasm has changed: look whether this plugin is still needed.');
        return { code: changed, map: null };
      },
    },
  };
}
