/** A page that only runs inference: what has to be loaded, and how long is it until the first words? */
import * as tf from '@tensorflow/tfjs';
import { build } from 'esbuild';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { generation, models } from 'tfjs-transformers';
import { startChromium } from '../../test/browser/chromium.js';
import { serve } from '../../test/browser/server.js';
import { start, timingOf } from '../pairs.js';
import { GptTfjs } from '../peers/gpt_tfjs.js';
import { folderOf } from '../peers/installed.js';
import { writeModelFolder } from '../peers/onnx_decoder.js';
import { onnxGpt } from '../peers/onnx_gpt.js';
import { cannotRun, type Effort, type Row, type Table } from './table.js';

const SIZES = { layers: 4, width: 128, heads: 4, length: 128, vocabulary: 96 };
const PROMPT = [1, 2, 3];
const NEW_TOKENS = 8;

/** A page: its script, and whether it generates. */
interface Page {
  way: string;
  script: string;
  /** A page without: only its size counts, and why. */
  onlySize?: string;
}

const report = (ids: string): string =>
  `const generated = Array.from(${ids}, Number);\nglobalThis.finished = { generated, milliseconds: performance.now() };`;

const OURS = 'ours, wasm with kernels';
const PAGES: Page[] = [
  {
    way: OURS,
    script: `
      import * as tf from '@tensorflow/tfjs-core';
      import { loadLayersModel } from '@tensorflow/tfjs-layers';
      import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
      import { generation } from 'tfjs-transformers';
      import 'tfjs-transformers/wasm';
      setWasmPaths('/wasm/');
      await tf.setBackend('wasm');
      const model = await loadLayersModel('/models/ours/model.json');
      const { ids } = await generation.generate(model, ${JSON.stringify(PROMPT)}, { maxNewTokens: ${NEW_TOKENS} });
      ${report('ids[0]')}`,
  },
  {
    way: 'gpt-tfjs, wasm, no cache',
    script: `
      import * as tf from '@tensorflow/tfjs';
      import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
      import { model as gpt } from 'gpt-tfjs';
      setWasmPaths('/wasm/');
      await tf.setBackend('wasm');
      const model = gpt.GPT({ vocabSize: ${SIZES.vocabulary}, blockSize: ${SIZES.length}, nLayer: ${SIZES.layers}, nHead: ${SIZES.heads}, nEmbd: ${SIZES.width}, dropout: 0, embdDrop: 0, residDrop: 0 });
      const values = new Float32Array(await (await fetch('/models/gpt-tfjs.bin')).arrayBuffer());
      let at = 0;
      model.setWeights(model.weights.map(({ shape }) => {
        const size = tf.util.sizeFromShape(shape);
        return tf.tensor(values.subarray(at, (at += size)), shape);
      }));
      const ids = await gpt.generate(model, [${JSON.stringify(PROMPT)}], { maxNewTokens: ${NEW_TOKENS}, doSample: false });
      ${report('ids[0]')}`,
  },
  {
    way: 'transformers.js, wasm',
    script: `
      import { AutoModelForCausalLM, Tensor, env } from '@huggingface/transformers';
      Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/models/', useBrowserCache: false, useWasmCache: false });
      env.backends.onnx.wasm.wasmPaths = '/ort/';
      env.backends.onnx.wasm.numThreads = 1;
      const model = await AutoModelForCausalLM.from_pretrained('onnx-gpt', { dtype: 'fp32', device: 'wasm' });
      const ids = ${JSON.stringify(PROMPT)};
      const integers = (values) => new Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length]);
      const output = await model.generate({ input_ids: integers(ids), attention_mask: integers(ids.map(() => 1)), max_new_tokens: ${NEW_TOKENS}, do_sample: false });
      ${report('output.tolist()[0]')}`,
  },
  {
    way: 'genai-nanogpt',
    script: `import { TeachableLLM } from '@genai-fi/nanogpt'; globalThis.TeachableLLM = TeachableLLM;`,
    onlySize: 'reads no other weights than its own: size only',
  },
];

/**
 * Answers it.
 *
 * @param effort Quick: fewer rounds.
 * @returns The table.
 */
export async function page({ quick }: Effort): Promise<Table> {
  await start('wasm');
  const { layers, width, heads, length, vocabulary } = SIZES;
  const model = models.causalLM({
    ...{ vocabularySize: vocabulary, maxSequenceLength: length, hiddenDim: width },
    ...{ numLayers: layers, numHeads: heads, seed: 1 },
  });
  const { ids } = await generation.generate(model, PROMPT, { maxNewTokens: NEW_TOKENS });
  const expected = ids[0].join();
  const folder = mkdtempSync(join(tmpdir(), 'scoreboard-'));
  const places = folders(folder);
  const rows: Row[] = [];
  try {
    await writeModels(folder, model);
    const browser = await startChromium();
    try {
      const entrants: { page: Page; script: string; times: number[]; cells: string[] }[] = [];
      for (const page of PAGES) {
        try {
          const script = await bundle(page.script);
          entrants.push({ page, script, times: [], cells: [] });
        } catch (error) {
          rows.push(cannotRun(page.way, error));
        }
      }
      for (let round = 0; round < (quick ? 2 : 5); round++) {
        for (const entrant of entrants) {
          const { page, script, times } = entrant;
          const sizes = { js: gzipSync(script).length, wasm: 0 };
          if (page.onlySize === undefined) {
            const server = await serve(script, places, () => false);
            const context = await browser.newContext(); // an empty cache
            try {
              const tab = await context.newPage();
              const problems: string[] = [];
              tab.on('pageerror', (error) => problems.push(error.message));
              tab.on('response', (response) => {
                const path = new URL(response.url()).pathname;
                const kind = path.endsWith('.wasm') ? 'wasm' : path.endsWith('.mjs') ? 'js' : null;
                if (kind !== null) sizes[kind] += zippedSize(path, places);
              });
              await tab.goto(server.url);
              await tab
                .waitForFunction('globalThis.finished', undefined, { timeout: 60_000 })
                .catch(() => {
                  throw new Error(problems[0] ?? 'no answer within a minute');
                });
              const { generated, milliseconds } = (await tab.evaluate('finished')) as {
                generated: number[];
                milliseconds: number;
              };
              if (generated.join() !== expected)
                throw new Error(
                  `page: ${page.way} generates ${generated.join()}, not ${expected}.`,
                );
              times.push(milliseconds);
            } finally {
              await context.close();
              server.stop();
            }
          }
          entrant.cells = [sizes.js, sizes.wasm, sizes.js + sizes.wasm].map((bytes) =>
            (bytes / 1000).toFixed(0),
          );
        }
      }
      const ours = entrants[0].times;
      for (const { page, times, cells } of entrants) {
        const timed = page.onlySize === undefined;
        rows.push({
          way: page.way,
          cells: [...cells, timed ? timingOf(times) : page.onlySize!],
          ...(timed && page.way !== OURS
            ? { ratio: timingOf(times.map((time, i) => time / ours[i])) }
            : {}),
        });
      }
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    name: 'page',
    question: 'A page that only runs inference: what does it load, and when does it speak?',
    notes:
      `From the start of the navigation until ${NEW_TOKENS} tokens are generated by a GPT of ${layers} layers, width ${width}, served from this ` +
      'machine to headless Chromium with an empty cache; all generate the same tokens greedily. Minified by esbuild; kilobytes as gzip -6 ' +
      'makes them, the weights not counted.',
    columns: ['JavaScript, kB', 'WebAssembly, kB', 'together, kB', 'ms to the first words'],
    rows,
  };
}

const built = (entry: string): string =>
  fileURLToPath(new URL(`../../dist/esm/${entry}/index.js`, import.meta.url));

async function bundle(script: string): Promise<string> {
  const result = await build({
    stdin: { contents: script, resolveDir: fileURLToPath(new URL('..', import.meta.url)) },
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

function folders(models: string): Record<string, string> {
  const require = createRequire(import.meta.url);
  const transformers = folderOf('@huggingface/transformers');
  return {
    '/models/': models,
    '/wasm/': dirname(require.resolve('@tensorflow/tfjs-backend-wasm')),
    ...(transformers === null
      ? {}
      : {
          '/ort/': dirname(createRequire(join(transformers, 'x.js')).resolve('onnxruntime-web')),
        }),
  };
}

const zipped = new Map<string, number>();

function zippedSize(path: string, places: Record<string, string>): number {
  const place = Object.keys(places).find((place) => path.startsWith(place))!;
  const file = join(places[place], path.slice(place.length));
  if (!zipped.has(file)) zipped.set(file, gzipSync(readFileSync(file)).length);
  return zipped.get(file)!;
}

/** The same weights in the three forms. */
async function writeModels(folder: string, model: tf.LayersModel): Promise<void> {
  mkdirSync(join(folder, 'ours'));
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      const { weightSpecs, weightData, ...rest } = artifacts;
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      writeFileSync(join(folder, 'ours', 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
      writeFileSync(
        join(folder, 'ours', 'model.json'),
        JSON.stringify({ ...rest, weightsManifest }),
      );
      return Promise.resolve({
        modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts),
      });
    }),
  );
  // Peers that are not installed fail when they are bundled, with a row.
  if (folderOf('gpt-tfjs') !== null) {
    const theirs = new GptTfjs(SIZES, model).model;
    const values = await Promise.all(theirs.getWeights().map((weight) => weight.data()));
    writeFileSync(
      join(folder, 'gpt-tfjs.bin'),
      Buffer.concat(values.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength))), // prettier-ignore
    );
  }
  if (folderOf('onnx-proto') !== null)
    writeModelFolder(join(folder, 'onnx-gpt'), await onnxGpt(model, SIZES), SIZES);
}
