/**
 * The package as users get it: packed, installed beside `@tensorflow/tfjs` into an empty folder by npm and by pnpm,
 * imported from ESM, from CommonJS and from TypeScript; and bundled for a page. Needs a reachable npm registry, or npm's
 * and pnpm's caches.
 */
import { execFile } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'tfjs-transformers-'));
const TFJS = '@tensorflow/tfjs@4.22.0';
let tarball: string;

/** Runs a program; a failure carries everything that it said. */
function run(command: string, args: string[], cwd = root): Promise<string> {
  // Run under npm, this process holds npm's settings for this repository; they are not those of the empty folder.
  const ours =
    /^(npm_(package|lifecycle)_|npm_config_(local_prefix|user_agent|noproxy)|INIT_CWD|NODE_OPTIONS)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  return new Promise((resolve, reject) => {
    execFile(
      command,
      args,
      { cwd, env, maxBuffer: 1 << 26, timeout: 280_000 },
      (error, stdout, stderr) => {
        const said = `${stdout}${stderr}`;
        if (error === null) resolve(said);
        else
          reject(
            new Error(
              `'${[command, ...args].join(' ')}' in ${cwd} failed (${error.message}):\n${said}`,
            ),
          );
      },
    );
  });
}

const node = (args: string[], cwd?: string) => run(process.execPath, args, cwd);

/** The script behind a command of a development dependency. */
const tools = {
  attw: '@arethetypeswrong/cli/dist/index.js',
  pnpm: 'pnpm/bin/pnpm.cjs',
  publint: 'publint/src/cli.js',
  tsc: 'typescript/bin/tsc',
};
const tool = (name: keyof typeof tools) => join(root, 'node_modules', tools[name]);

beforeAll(async () => {
  await node(['scripts/build.mjs']);
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  const packed = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  expect(packed).toHaveLength(1);
  tarball = join(folder, packed[0]);
}, 300_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The same checks in both module systems; prints `ok` at the end. */
const program = `
const check = (what, holds) => { if (!holds) throw new Error('not so: ' + what); };

const before = tf.memory().numTensors;
const mask = masks.causal(3);
check('a mask is a tensor of tf', mask instanceof tf.Tensor && mask.shape.join() === '1,1,3,3');
check('tf counts the tensor: one engine', tf.memory().numTensors === before + 1);

const layer = layers.multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true });
check('a layer is a layer of tf', layer instanceof tf.layers.Layer);
const input = tf.input({ shape: [3, 8] });
const model = tf.model({ inputs: input, outputs: layer.apply(input) });
check('a model is a model of tf', model instanceof tf.LayersModel);
const x = tf.randomNormal([2, 3, 8]);
check('tf.model runs the layer', model.predict(x).shape.join() === '2,3,8');

const q = tf.randomNormal([1, 3, 2, 4]);
const gradient = tf.grad((q) => tf.sum(ops.dotProductAttention(q, q, q, { causal: true })))(q);
check('tf.grad goes through an op', gradient.shape.join() === '1,3,2,4');

const sizes = { vocabularySize: 11, maxSequenceLength: 7, hiddenDim: 8, numLayers: 1, numHeads: 2 };
const lm = models.causalLM(sizes);
check('a language model is a model of tf', lm instanceof tf.LayersModel);

const { checkGradients } = testing;
check('the entry for tests is there', typeof checkGradients === 'function');
check('the entry with the wasm kernels registers them', tf.getKernel('TransformersRmsNorm', 'wasm') !== undefined);
check('so does that for tfjs-node', tf.getKernel('TransformersRmsNorm', 'tensorflow') !== undefined);
`;

const scripts: Record<string, string> = {
  'main.mjs': `
import * as tf from '@tensorflow/tfjs';
import { masks, ops, layers, models } from 'tfjs-transformers';
import * as testing from 'tfjs-transformers/testing';
import 'tfjs-transformers/node';
import 'tfjs-transformers/wasm';
import { createRequire } from 'node:module';
${program}
// Both builds in one process: layers of either are layers of tf, and what one saved is read back.
const other = createRequire(import.meta.url)('tfjs-transformers');
check('the CommonJS build is another one', other.layers !== layers);
check('its layers are layers of tf', other.layers.multiHeadAttention({ numHeads: 2, keyDim: 4 }) instanceof tf.layers.Layer);
let saved;
await model.save(tf.io.withSaveHandler(async (artifacts) => { saved = artifacts; return { modelArtifactsInfo: {} }; }));
const back = await tf.loadLayersModel(tf.io.fromMemory(saved));
check('a saved model comes back', tf.equal(back.predict(x), model.predict(x)).all().dataSync()[0] === 1);
console.log('ok');`,
  'main.cjs': `
const tf = require('@tensorflow/tfjs');
const { masks, ops, layers, models } = require('tfjs-transformers');
const testing = require('tfjs-transformers/testing');
require('tfjs-transformers/node');
require('tfjs-transformers/wasm');
${program}
console.log('ok');`,
};

const typescript = `
import * as tf from '@tensorflow/tfjs';
import { layers, masks, models, ops } from 'tfjs-transformers';
import { checkGradients } from 'tfjs-transformers/testing';
import { registerKernels as registerNodeKernels } from 'tfjs-transformers/node';
import { registerKernels } from 'tfjs-transformers/wasm';

registerKernels();
registerNodeKernels();
export const mask: tf.Tensor = masks.causal(3);
export const layer: tf.layers.Layer = layers.multiHeadAttention({ numHeads: 2, keyDim: 4 });
export const model: tf.LayersModel = models.causalLM({
  vocabularySize: 11, maxSequenceLength: 7, hiddenDim: 8, numLayers: 1, numHeads: 2,
});
const q: tf.Tensor4D = tf.ones([1, 3, 2, 4]);
export const output: tf.Tensor = ops.dotProductAttention(q, q, q, { mask, causal: true });
export const check = checkGradients;
// @ts-expect-error: a misspelt option is an error of types
layers.multiHeadAttention({ numHead: 2, keyDim: 4 });
`;

const tsconfig = (module: string, moduleResolution: string) => ({
  compilerOptions: {
    ...{ module, moduleResolution, target: 'es2022', lib: ['es2022', 'dom'] },
    ...{ strict: true, skipLibCheck: true, noEmit: true, types: [] },
  },
  files: ['main.ts'],
});

const offline = ['--prefer-offline', '--ignore-scripts'];
const managers: Record<string, (cwd: string) => Promise<string>> = {
  npm: (cwd) =>
    run(
      'npm',
      ['install', tarball, TFJS, ...offline, '--no-audit', '--no-fund', '--fetch-retries=1'],
      cwd,
    ),
  pnpm: (cwd) => node([tool('pnpm'), 'add', tarball, TFJS, ...offline, '--fetch-retries=1'], cwd),
};

describe.each(Object.keys(managers))('installed by %s beside @tensorflow/tfjs', (manager) => {
  const app = join(folder, manager);

  beforeAll(async () => {
    mkdirSync(app);
    const write = (name: string, text: string) => writeFileSync(join(app, name), text);
    write(
      'package.json',
      '{ "name": "app", "version": "1.0.0", "private": true, "type": "module" }',
    );
    for (const [name, text] of Object.entries(scripts)) write(name, text);
    write('main.ts', typescript);
    write('tsconfig.nodenext.json', JSON.stringify(tsconfig('nodenext', 'nodenext')));
    write('tsconfig.bundler.json', JSON.stringify(tsconfig('esnext', 'bundler')));
    await managers[manager](app);
  }, 300_000);

  test.each(Object.keys(scripts))('%s: one engine, one Layer class', async (script) => {
    expect(await node([script], app)).toMatch(/^ok$/m);
  });

  test.each(['nodenext', 'bundler'])('TypeScript, module resolution %s', async (resolution) => {
    await node([tool('tsc'), '-p', `tsconfig.${resolution}.json`], app);
  });
});

const programs: Record<string, string> = {
  // Makes a model, generates, and saves both.
  'save.mjs': `
import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { generation, models } from 'tfjs-transformers';

await tf.setBackend('cpu');
const model = models.causalLM({
  ...{ vocabularySize: 13, maxSequenceLength: 32, hiddenDim: 8, numLayers: 2, numHeads: 4, numKeyValueHeads: 2 },
  ...{ position: 'rotary', normalization: 'rms', activation: 'silu', gated: true, padId: 0, seed: 3 },
});
const { ids } = await generation.generate(model, [[5, 7, 2]], { maxNewTokens: 9 });
await model.save(tf.io.withSaveHandler(async ({ weightData, ...rest }) => {
  const weights = Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)).toString('base64');
  writeFileSync('model.json', JSON.stringify({ ...rest, weights, ids }));
  return { modelArtifactsInfo: {} };
}));`,
  // Knows of this package nothing but \`generation\`, and does the same with what was saved.
  'load.mjs': `
import { readFileSync } from 'node:fs';
import { io, setBackend } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { generation } from 'tfjs-transformers';

(async () => {
  await setBackend('cpu');
  const { weights, ids: expected, ...artifacts } = JSON.parse(readFileSync('model.json', 'utf8'));
  const weightData = new Uint8Array(Buffer.from(weights, 'base64')).buffer;
  const model = await loadLayersModel(io.fromMemory({ ...artifacts, weightData }));
  const { ids } = await generation.generate(model, [[5, 7, 2]], { maxNewTokens: 9 });
  if (ids.join() !== expected.join()) throw new Error(ids.join() + ', not ' + expected.join());
  console.log('ok');
})();`,
  // A page that loads a model and generates.
  'page.mjs': `
import { ready, setBackend } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { generation, layers } from 'tfjs-transformers';
globalThis.app = { ready, setBackend, setWasmPaths, loadLayersModel, generation, layers };`,
  'bundle.mjs': `
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const require = createRequire(${JSON.stringify(join(root, 'package.json'))});
const esbuild = require('esbuild');
const { metafile } = await esbuild.build({
  ...{ entryPoints: ['load.mjs'], outfile: 'load.cjs', bundle: true, minify: true, metafile: true },
  ...{ platform: 'node', format: 'cjs', mainFields: ['module', 'main'], logLevel: 'error' },
});
const parts = Object.entries(metafile.outputs['load.cjs'].inputs)
  .filter(([name, { bytesInOutput }]) => bytesInOutput > 0 && name.includes('tfjs-transformers/'))
  .map(([name]) => name.match(/dist\\/esm\\/([^/]+)/)[1]);

const { build } = await import(pathToFileURL(require.resolve('vite')));
const { output } = await build({
  ...{ configFile: false, logLevel: 'error' },
  build: { write: false, modulePreload: false, rollupOptions: { input: 'page.mjs' } },
});
const page = gzipSync(output.map(({ code = '' }) => code).join(''), { level: 9 }).length;
console.log(JSON.stringify({ parts: [...new Set(parts)].sort(), page }));`,
};

/** A package.json, as far as it is read here. */
interface Packed {
  dependencies?: Record<string, string>;
}

describe('bundled', () => {
  const app = join(folder, 'bundled');
  let said: { parts: string[]; page: number };

  beforeAll(async () => {
    mkdirSync(join(app, 'node_modules'), { recursive: true });
    await run('tar', ['-xzf', tarball], join(app, 'node_modules'));
    renameSync(join(app, 'node_modules/package'), join(app, 'node_modules/tfjs-transformers'));
    const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Packed;
    for (const name of ['@tensorflow', ...Object.keys(own.dependencies ?? {})]) {
      mkdirSync(dirname(join(app, 'node_modules', name)), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
    }
    for (const [name, text] of Object.entries(programs)) writeFileSync(join(app, name), text);
    said = JSON.parse((await node(['bundle.mjs'], app)).trim().split('\n').at(-1)!);
  }, 120_000);

  test('importing only generation loads a saved model of our layers and generates', async () => {
    await node(['save.mjs'], app);
    expect(await node(['load.cjs'], app)).toMatch(/^ok$/m);
  }, 60_000);

  test('importing only generation brings nothing that it does not need', () => {
    expect(said.parts).toEqual(['cache', 'generation', 'layers', 'masks', 'ops', 'util']);
  });

  test('TensorFlow.js, the wasm backend, our layers and generation are below 200 kB, gzipped', () => {
    expect(said.page).toBeLessThan(200_000);
    expect(said.page).toBeGreaterThan(150_000); // it is all there
  });
});

test('publint has nothing to say', async () => {
  expect(await node([tool('publint'), 'run', tarball, '--strict'])).toMatch(/All good/);
}, 60_000);

test('types resolve from ESM, CommonJS and bundlers (are the types wrong?)', async () => {
  // It exits with an error when a column has a problem; the profile leaves out Node 10, which knows no exports.
  expect(await node([tool('attw'), tarball, '--profile', 'node16'])).toMatch(/node16 \(from ESM\)/);
}, 60_000);
