// Gets @tensorflow/tfjs-node working on this machine, and says in one line what it did.
//
//     npm run native              takes the first way that works:
//       1. it works already
//       2. tfjs-node's own installer, which downloads libtensorflow and a prebuilt binding
//       3. a build (gcc, some 20 s) against the libtensorflow inside Python's `tensorflow-cpu` wheel
//     npm run native -- --check   only says whether it works
//
//     TFJS_NATIVE_WHEEL=file.whl  a tensorflow or tensorflow-cpu wheel fetched by other means; goes straight to way 3
//     TFJS_NATIVE_TIMEOUT=300     seconds that the installer of way 2 may take
//
// Neither package.json nor the lockfile is touched. `npm ci` takes tfjs-node away again; what was unpacked and built
// stays in .native/, so that the next run takes seconds.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const TFJS_NODE = '4.22.0';
const WHEEL = 'tensorflow-cpu==2.21.0';
const DOWNLOAD_HOST = 'storage.googleapis.com';
/** node-pre-gyp's folder for Node-API 8, the newest that tfjs-node 4.22 knows; Node 20, 22 and 24 share it. */
const BINDING = join('lib', 'napi-v8', 'tfjs_binding.node');
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const cache = join(root, '.native');
const folder = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
const givenWheel = process.env.TFJS_NATIVE_WHEEL;

try {
  console.log(`native: ${await main()}`);
} catch (error) {
  console.error(`native: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const options = process.argv.slice(2);
  const unknown = options.find((option) => option !== '--check');
  if (unknown !== undefined)
    throw new Error(`unknown option '${unknown}'. Known options: --check.`);
  if (options.includes('--check')) {
    const trouble = whatIsWrong();
    if (trouble === undefined) return `tfjs-node ${TFJS_NODE} works.`;
    throw new Error(`tfjs-node does not work here: ${trouble}\nRun 'npm run native' to get it.`);
  }
  if (givenWheel !== undefined && !(givenWheel.endsWith('.whl') && fs.existsSync(givenWheel))) {
    throw new Error(
      `TFJS_NATIVE_WHEEL must name a .whl file, got '${givenWheel}'. Fetch one with 'pip download --no-deps ${WHEEL}'.`,
    );
  }
  if (whatIsWrong() === undefined) return `tfjs-node ${TFJS_NODE} works already; nothing to do.`;

  installPackage();
  if (givenWheel === undefined) {
    if (restoreBuild() && whatIsWrong() === undefined) {
      return `tfjs-node ${TFJS_NODE} works: took the earlier build from .native/.`;
    }
    const trouble = await download();
    if (trouble === undefined)
      return `tfjs-node ${TFJS_NODE} works: its own installer downloaded it.`;
    step(`its installer could not: ${trouble}`);
  }
  const wheel = build();
  const trouble = whatIsWrong();
  if (trouble !== undefined) {
    throw new Error(
      `tfjs-node was built against ${wheel}, but does not work: ${trouble}\n` +
        `Remove .native/ and run again; if that does not help, report it with the text above.`,
    );
  }
  keepBuild();
  return `tfjs-node ${TFJS_NODE} works: built against libtensorflow of ${wheel}.`;
}

/** Loads tfjs-node in a process of its own (a broken binding may crash it) and multiplies two matrices. */
function whatIsWrong() {
  if (!fs.existsSync(join(folder, BINDING)))
    return 'it is not installed, or its binding is not built.';
  const program = `
    const util = require('util');
    util.isNullOrUndefined ??= (value) => value === null || value === undefined; // gone since Node 23
    const tf = require('@tensorflow/tfjs-node');
    const product = tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5, 6], [7, 8]])).dataSync();
    if (tf.getBackend() !== 'tensorflow') throw new Error('the backend is ' + tf.getBackend());
    if (product.join() !== '19,22,43,50') throw new Error('a product of matrices is ' + product.join());`;
  const result = run(process.execPath, ['-e', program], { env: { TF_CPP_MIN_LOG_LEVEL: '3' } });
  if (result.ok) return undefined;
  return /^\S*Error.*$/m.exec(result.output)?.[0] ?? lastLines(result.output);
}

/** The JavaScript of tfjs-node, without its install script. */
function installPackage() {
  const manifest = join(folder, 'package.json');
  if (
    fs.existsSync(manifest) &&
    JSON.parse(fs.readFileSync(manifest, 'utf8')).version === TFJS_NODE
  )
    return;
  step(
    `installing @tensorflow/tfjs-node ${TFJS_NODE} (package.json and the lockfile stay as they are)`,
  );
  const result = npm([
    'install',
    '--no-save',
    '--save-dev', // as the optional peer that it is, npm would not install it
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=1',
    `@tensorflow/tfjs-node@${TFJS_NODE}`,
  ]);
  if (!result.ok || !fs.existsSync(manifest)) {
    throw new Error(
      `npm could not install @tensorflow/tfjs-node ${TFJS_NODE}. Check that your npm registry is reachable, and run again.\n` +
        lastLines(result.output),
    );
  }
}

/** Way 2. Returns what went wrong, undefined when it works. */
async function download() {
  if (!(await hostAnswers())) return `${DOWNLOAD_HOST} cannot be reached.`;
  const seconds = Number(process.env.TFJS_NATIVE_TIMEOUT ?? 300);
  step(`trying its own installer (at most ${seconds} s)`);
  const script = join('scripts', 'install.js');
  const result = run(process.execPath, [script], {
    cwd: folder,
    timeout: seconds * 1000,
    env: { PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` },
  });
  if (!result.ok)
    return result.timedOut ? `not done after ${seconds} s.` : lastLines(result.output, 3);
  return whatIsWrong();
}

/** Whether a connection to the download's host opens within ten seconds; behind a proxy only the installer can say. */
function hostAnswers() {
  if (process.env.HTTPS_PROXY || process.env.https_proxy || process.env.TFJS_NODE_CDN_STORAGE)
    return true;
  return new Promise((answer) => {
    const socket = connect({ host: DOWNLOAD_HOST, port: 443, timeout: 10_000 });
    const done = (yes) => () => {
      socket.destroy();
      answer(yes);
    };
    socket.once('connect', done(true)).once('error', done(false)).once('timeout', done(false));
  });
}

/** Way 3. Returns the name of the wheel. */
function build() {
  if (process.platform !== 'linux') {
    throw new Error(
      `a build from Python's wheel is possible on Linux only, this is ${process.platform}. ` +
        `Let tfjs-node's installer reach ${DOWNLOAD_HOST} (HTTPS_PROXY, or TFJS_NODE_CDN_STORAGE for a mirror) and run again. ` +
        `tfjs-transformers works without tfjs-node too, on the wasm backend.`,
    );
  }
  const missing = ['python3', 'make', 'g++'].filter((tool) => !run(tool, ['--version']).ok);
  if (missing.length > 0) {
    throw new Error(
      `building tfjs-node needs ${missing.join(', ')}. On Debian or Ubuntu: apt-get install -y python3 python3-pip make g++`,
    );
  }
  const wheel = unpackWheel();
  linkLibraries();
  step('compiling the binding');
  // npm exec says where npm's own node-gyp is; the headers beside this Node save their download.
  const headers = resolve(dirname(process.execPath), '..');
  const hasHeaders = fs.existsSync(join(headers, 'include', 'node', 'node_api.h'));
  const result = npm(
    ['exec', '--no', '--', 'node-pre-gyp', 'install', '--build-from-source', '-C', folder],
    {
      env: hasHeaders ? { npm_config_nodedir: headers } : {},
    },
  );
  if (!result.ok || !fs.existsSync(join(folder, BINDING))) {
    throw new Error(
      `compiling tfjs-node failed. ` +
        (hasHeaders
          ? ''
          : `The headers of Node come from nodejs.org unless npm's 'nodedir' is set. `) +
        `The end of what the compiler said:\n${lastLines(result.output)}`,
    );
  }
  return wheel;
}

/** Puts libtensorflow and its C headers from the wheel into .native/tensorflow; returns the name of the wheel. */
function unpackWheel() {
  const target = join(cache, 'tensorflow');
  const stamp = join(target, 'wheel.txt');
  if (givenWheel === undefined && fs.existsSync(stamp)) return fs.readFileSync(stamp, 'utf8');

  const downloads = fs.mkdtempSync(join(tmpdir(), 'tfjs-native-'));
  try {
    let wheel = givenWheel;
    if (wheel === undefined) {
      step(`downloading ${WHEEL} from Python's package index (270 MB)`);
      // Only the C library inside is used, so the wheel's Python version need not be the one of this machine.
      const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
      const result = run('python3', [
        ...[
          '-m',
          'pip',
          'download',
          WHEEL,
          '--no-deps',
          '--dest',
          downloads,
          '--only-binary',
          ':all:',
        ],
        ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'],
        ...['--platform', `manylinux_2_27_${machine}`],
      ]);
      const name = fs.readdirSync(downloads).find((file) => file.endsWith('.whl'));
      if (!result.ok || name === undefined) {
        throw new Error(
          `pip could not download ${WHEEL}. Where pip cannot reach a package index, fetch the wheel elsewhere ` +
            `('pip download --no-deps ${WHEEL}') and run: TFJS_NATIVE_WHEEL=path/to.whl npm run native\n` +
            lastLines(result.output),
        );
      }
      wheel = join(downloads, name);
    }
    step(`unpacking libtensorflow from ${wheel}`);
    fs.rmSync(target, { recursive: true, force: true });
    fs.mkdirSync(target, { recursive: true });
    const unzip = `
import sys, zipfile
wheel, target, libraries = sys.argv[1], sys.argv[2], ['tensorflow/' + name for name in sys.argv[3:]]
headers = tuple('tensorflow/include/' + f for f in ('tensorflow/c/', 'tensorflow/core/platform/', 'tensorflow/tsl/', 'tsl/', 'xla/tsl/', 'xla/c/'))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in libraries or (name.startswith(headers) and name.endswith('.h')):
            archive.extract(name, target)
`;
    const result = run('python3', ['-c', unzip, resolve(wheel), target, ...LIBRARIES]);
    const lacks = LIBRARIES.filter((name) => !fs.existsSync(join(target, 'tensorflow', name)));
    if (!result.ok || lacks.length > 0) {
      fs.rmSync(target, { recursive: true, force: true });
      throw new Error(
        `${wheel} ${result.ok ? `holds no ${lacks.join(', ')}` : 'cannot be unpacked'}. ` +
          `Take a Linux wheel of ${WHEEL}.\n${lastLines(result.output)}`,
      );
    }
    const name = wheel.split('/').pop();
    fs.writeFileSync(stamp, name);
    return name;
  } finally {
    fs.rmSync(downloads, { recursive: true, force: true });
  }
}

/** Shows the unpacked files to tfjs-node under the names that its build and its binding look for. */
function linkLibraries() {
  const unpacked = join(cache, 'tensorflow', 'tensorflow');
  const deps = join(folder, 'deps');
  fs.rmSync(deps, { recursive: true, force: true });
  fs.mkdirSync(join(deps, 'lib'), { recursive: true });
  const link = (from, to) => fs.symlinkSync(relative(dirname(to), from), to);
  link(join(unpacked, 'include'), join(deps, 'include'));
  for (const name of LIBRARIES) link(join(unpacked, name), join(deps, 'lib', name));
  link(join(unpacked, LIBRARIES[0]), join(deps, 'lib', 'libtensorflow.so'));
  link(join(unpacked, LIBRARIES[1]), join(deps, 'lib', 'libtensorflow_framework.so'));
}

function keptBinding() {
  return join(cache, `tfjs-node-${TFJS_NODE}-${process.platform}-${process.arch}`, BINDING);
}

function keepBuild() {
  fs.mkdirSync(dirname(keptBinding()), { recursive: true });
  fs.copyFileSync(join(folder, BINDING), keptBinding());
}

/** Puts an earlier build back; false when there is none. */
function restoreBuild() {
  if (!fs.existsSync(keptBinding()) || !fs.existsSync(join(cache, 'tensorflow', 'wheel.txt')))
    return false;
  linkLibraries();
  fs.mkdirSync(dirname(join(folder, BINDING)), { recursive: true });
  fs.copyFileSync(keptBinding(), join(folder, BINDING));
  return true;
}

function npm(args, options) {
  // Run by npm, its own script; else the one on the path (npm.cmd on Windows needs a shell).
  const script = process.env.npm_execpath ?? '';
  if (script.endsWith('.js')) return run(process.execPath, [script, ...args], options);
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}

function run(command, args, { env = {}, ...options } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
    env: { ...process.env, ...env },
  });
  return {
    ok: result.status === 0,
    timedOut: result.error?.code === 'ETIMEDOUT',
    output: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`,
  };
}

function lastLines(text, count = 15) {
  return text.trim().split('\n').slice(-count).join('\n');
}

function step(text) {
  console.error(`native: ${text}`);
}
