/**
 * The package as users get it: packed, installed beside `@tensorflow/tfjs` into an empty folder by npm and by pnpm,
 * imported from ESM, from CommonJS and from TypeScript. Needs a reachable npm registry, or npm's and pnpm's caches.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
`;

const scripts: Record<string, string> = {
  'main.mjs': `
import * as tf from '@tensorflow/tfjs';
import { masks, ops, layers, models } from 'tfjs-transformers';
import * as testing from 'tfjs-transformers/testing';
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
require('tfjs-transformers/wasm');
${program}
console.log('ok');`,
};

const typescript = `
import * as tf from '@tensorflow/tfjs';
import { layers, masks, models, ops } from 'tfjs-transformers';
import { checkGradients } from 'tfjs-transformers/testing';
import { registerKernels } from 'tfjs-transformers/wasm';

registerKernels();
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

test('publint has nothing to say', async () => {
  expect(await node([tool('publint'), 'run', tarball, '--strict'])).toMatch(/All good/);
}, 60_000);

test('types resolve from ESM, CommonJS and bundlers (are the types wrong?)', async () => {
  // It exits with an error when a column has a problem; the profile leaves out Node 10, which knows no exports.
  expect(await node([tool('attw'), tarball, '--profile', 'node16'])).toMatch(/node16 \(from ESM\)/);
}, 60_000);
