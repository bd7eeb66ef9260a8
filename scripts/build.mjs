// Builds dist/esm and dist/cjs with plain tsc. Incremental: a second run takes a second or two.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

for (const [project, format] of [
  ['tsconfig.build.json', 'esm'],
  ['tsconfig.cjs.json', 'cjs'],
]) {
  const output = join(root, 'dist', format);
  mkdirSync(output, { recursive: true });
  removeLeftovers(output);
  try {
    execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
  } catch {
    console.error(`build: ${project} does not compile.`);
    process.exit(1);
  }
}
// The package is "type": "module"; this file makes Node read the second build as CommonJS.
writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n');

/** Removes what was built from a source that is gone: all of dist is published. */
function removeLeftovers(output) {
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const source = relative(output, file).replace(/\.(d\.ts|js|js\.map)$/, '.ts');
    if (entry.isFile() && source.endsWith('.ts') && !existsSync(join(root, 'src', source)))
      rmSync(file);
  }
}
