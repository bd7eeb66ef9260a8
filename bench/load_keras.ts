/**
 * How long does a `.keras` file take, and how much memory? Loads one of 100 MB from a path and compares every weight with what
 * was written; then times it against reading the file, unzipping it with fflate and copying the weights once, in turn;
 * then asks fresh processes for their peak memory, all of Node and TensorFlow.js included. `npx tsx bench/load_keras.ts [backend] [megabytes]`
 */
import { unzipSync } from 'fflate';
import { buildSync } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pretrained } from 'tfjs-transformers';
import { readSavedModel } from '../src/pretrained/keras/read_saved_model.js';
import { saveArchive, type ArchiveWeight } from '../src/pretrained/keras/write_archive.js';
import { pair, row, start, type Side } from './pairs.js';

const [backend = 'cpu', megabytes = '100'] = process.argv.slice(2);
const FILE = 'model.keras';
const UNITS = 1024;
const LAYERS = Math.max(1, Math.round((Number(megabytes) * 1e6) / (4 * (UNITS * UNITS + UNITS))));

/** The file to typed arrays, without building a model. */
async function readArrays(path: string): Promise<Float32Array[]> {
  const { weights } = await readSavedModel(path);
  return [...weights.values()].map((weight) => weight.values() as Float32Array);
}

/** What any loader does at least. */
function readUnzipCopy(path: string): Float32Array {
  const { 'model.weights.h5': bytes } = unzipSync(readFileSync(path));
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)),
  );
}

/** Weight number w, layer by layer kernel and bias: values that tell all places apart. */
function weightAt(w: number): ArchiveWeight {
  const shape = w % 2 === 0 ? [UNITS, UNITS] : [UNITS];
  const values = new Float32Array(w % 2 === 0 ? UNITS * UNITS : UNITS);
  for (let i = 0; i < values.length; i++) values[i] = (i % 8191) / 8191 - w;
  return { shape, dtype: 'float32', values };
}

function assertWeight(w: number, values: ArrayLike<number>): void {
  const expected = weightAt(w).values;
  if (values.length !== expected.length || expected.some((value, i) => value !== values[i]))
    throw new Error(`Weight ${w} is wrong.`);
}

/** A sequential model of dense layers, as Keras 3 writes it. */
async function write(path: string): Promise<void> {
  const keras = (className: string, config: object): object => ({
    module: 'keras.layers',
    class_name: className,
    config,
    registered_name: null,
  });
  const input = keras('InputLayer', {
    batch_shape: [null, UNITS],
    dtype: 'float32',
    name: 'input',
  });
  const dense = Array.from({ length: LAYERS }, (_, i) =>
    keras('Dense', { name: `dense_${i}`, units: UNITS, activation: 'relu', use_bias: true }),
  );
  const paths = Array.from({ length: LAYERS }, (_, i) => `layers/dense${i === 0 ? '' : `_${i}`}`);
  await saveArchive(
    {
      config: {
        module: 'keras',
        class_name: 'Sequential',
        config: { name: 'model', layers: [input, ...dense] },
        registered_name: null,
      },
      metadata: { keras_version: '3.15.1', date_saved: '2026-01-01@00:00:00' },
      weights: new Map(
        paths.flatMap((at, i) => [0, 1].map((v) => [`${at}/vars/${v}`, weightAt(2 * i + v)])),
      ),
      groupNames: new Map(paths.map((at, i) => [at, `dense_${i}`])),
    },
    path,
  );
}

/**
 * The most memory that a fresh process has: plain Node with TensorFlow.js and this package, bundled, on its cpu backend.
 * Linux counts it since the process began; elsewhere that of the process that started it counts too.
 */
function peakMemory(folder: string, work: string): number {
  const contents = `
    import * as tf from '@tensorflow/tfjs';
    import { unzipSync } from 'fflate';
    import { existsSync, readFileSync } from 'node:fs';
    import { pretrained } from '../src/index.js';
    import { readSavedModel } from '../src/pretrained/keras/read_saved_model.js';
    (async () => {
      await tf.setBackend('cpu');
      const path = process.argv[2];
      globalThis.kept = await (async () => { ${work} })();
      const status = '/proc/self/status';
      const kilobytes = existsSync(status)
        ? Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync(status, 'utf8'))[1])
        : process.resourceUsage().maxRSS;
      console.log(kilobytes * 1024);
    })();`;
  const outfile = join(folder, 'child.cjs');
  const resolveDir = dirname(fileURLToPath(import.meta.url));
  const stdin = { contents, resolveDir, loader: 'ts' } as const;
  buildSync({ stdin, bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'error' });
  const out = execFileSync(process.execPath, [outfile, join(folder, FILE)], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  return Number(out.trim().split('\n').pop());
}

const folder = mkdtempSync(join(tmpdir(), 'load-keras-'));
try {
  const path = join(folder, FILE);
  await write(path);
  const size = statSync(path).size;
  if (!(await start(backend))) throw new Error(`Backend '${backend}' is not here.`);

  const arrays = await readArrays(path);
  if (arrays.length !== 2 * LAYERS) throw new Error(`${arrays.length} arrays are there.`);
  arrays.forEach((values, w) => assertWeight(w, values));
  const model = await pretrained.loadKeras(path);
  for (const [w, weight] of model.getWeights().entries()) assertWeight(w, await weight.data());
  model.dispose();

  const head = `${(size / 1e6).toFixed(0)} MB, ${backend}: ms`;
  console.log(row(head, 'ours', 'read, unzip, copy', 'ours / that'));
  console.log('|---|---|---|---|');
  const ways: Record<string, Side> = {
    'file to typed arrays': () => readArrays(path),
    loadKeras: async () => {
      (await pretrained.loadKeras(path)).dispose();
    },
  };
  for (const [name, way] of Object.entries(ways)) {
    const { ours, peer, ratio } = await pair(way, () => Promise.resolve(readUnzipCopy(path)), 9);
    const times = { median: 1 / ratio.median, min: 1 / ratio.max, max: 1 / ratio.min };
    console.log(row(name, ours, peer, times));
  }

  console.log(`\n${row('peak memory, cpu', 'MB', 'of the file')}\n|---|---|---|`);
  const works = {
    'TensorFlow.js, nothing loaded': '',
    'read, unzip, copy': `const { 'model.weights.h5': bytes } = unzipSync(readFileSync(path)); return bytes.slice();`,
    'file to typed arrays': `return [...(await readSavedModel(path)).weights.values()].map((weight) => weight.values());`,
    loadKeras: 'return pretrained.loadKeras(path);',
  };
  for (const [name, work] of Object.entries(works)) {
    const bytes = peakMemory(folder, work);
    console.log(row(name, (bytes / 1e6).toFixed(0), (bytes / size).toFixed(2)));
  }
} finally {
  rmSync(folder, { recursive: true });
}
