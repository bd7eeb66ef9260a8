/** A page's script, built for a browser from the package as it is published. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const built = (entry: string): string =>
  fileURLToPath(new URL(`../dist/esm/${entry}/index.js`, import.meta.url));

/**
 * Bundles and minifies a module with all that it imports; needs `npm run build`.
 *
 * @param script Text of the module.
 * @returns The bundle.
 */
export async function bundle(script: string): Promise<string> {
  const result = await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    // The built package: only its files are named in `sideEffects`.
    alias: { 'tfjs-transformers/wasm': built('kernels/wasm'), 'tfjs-transformers': built('.') },
    external: ['node:*', 'fs', 'path', 'util'],
    logLevel: 'silent',
  });
  return result.outputFiles[0].text;
}
