/** The packages of bench/package.json, where they are installed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** Names beside whose versions the figures stand. */
export const PEERS = [
  'onnxruntime-web',
  'onnxruntime-node',
  '@huggingface/transformers',
  'gpt-tfjs',
  '@genai-fi/nanogpt',
];

/**
 * Folder of a package.
 *
 * @param name The package.
 * @returns Its folder, or null where it is not installed.
 */
export function folderOf(name: string): string | null {
  for (const place of require.resolve.paths(name) ?? []) {
    try {
      readFileSync(join(place, name, 'package.json'));
      return join(place, name);
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * Version of a package.
 *
 * @param name The package.
 * @returns Its version, or null where it is not installed.
 */
export function versionOf(name: string): string | null {
  const folder = folderOf(name);
  if (folder === null) return null;
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
