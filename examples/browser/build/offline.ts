/** Makes the page work without a network after its first load. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Puts a service worker beside the page that keeps every file of the build. Its source is service_worker.js; the list
 * of files and a version, which changes with any of them, take the place of `FILES` and `VERSION` there.
 *
 * @returns The plugin.
 */
export function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    writeBundle({ dir }) {
      const folder = dir!;
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
      const version = createHash('sha256');
      for (const file of files) version.update(file).update(readFileSync(file));
      const addresses = files.map((file) => relative(folder, file).split(sep).join('/'));
      const source = readFileSync(new URL('service_worker.js', import.meta.url), 'utf8')
        .replace("'VERSION'", JSON.stringify(version.digest('hex').slice(0, 16)))
        .replace("['FILES']", JSON.stringify(addresses));
      writeFileSync(join(folder, 'service_worker.js'), source);
    },
  };
}
