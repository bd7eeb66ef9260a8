// `npm run bench`: installs the peers of bench/package.json, builds the package (a page is timed with it), runs the scoreboard.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

// Without scripts: the binaries for this processor are in the packages, and only those for graphics cards are downloaded.
run('npm', [
  'install',
  '--prefix',
  'bench',
  '--ignore-scripts',
  '--no-package-lock',
  '--loglevel=error',
]);
// One copy of TensorFlow.js in a process, the one that is measured: peers find it in the folder above.
rmSync(join(root, 'bench/node_modules/@tensorflow'), { recursive: true, force: true });
run('npm', ['run', '--silent', 'build']);
run(process.execPath, ['--import', 'tsx', 'bench/scoreboard.ts', ...process.argv.slice(2)]);
