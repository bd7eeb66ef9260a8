/** A page that only runs inference: what has to be loaded, and how long is it until the first words? */
import * as tf from '@tensorflow/tfjs';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { generation, models } from 'tfjs-transformers';
import { startChromium } from '../../test/browser/chromium.js';
import { serve } from '../../test/browser/server.js';
import { bundle } from '../bundle.js';
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
  const folder = mkdtempSync(join(tmpdir(), 'scoreboard-'));
  let rows: Row[];
  try {
    await writeModels(folder, model);
    const visits = new Visits(await startChromium(), folders(folder), ids[0].join());
    try {
      rows = await visits.compare(quick ? 2 : 5);
    } finally {
      await visits.browser.close();
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

/** A page that could be bundled, and what its visits gave. */
interface Entrant {
  page: Page;
  script: string;
  times: number[];
  sizes: Record<'js' | 'wasm', number>;
}

/** Visits of the pages, each with an empty cache. */
class Visits {
  constructor(
    readonly browser: Browser,
    private readonly places: Record<string, string>,
    private readonly expected: string,
  ) {}

  /** Visits all pages in turn, and makes rows of what they took. */
  async compare(rounds: number): Promise<Row[]> {
    const entrants: Entrant[] = [];
    const rows: Row[] = [];
    for (const page of PAGES) {
      try {
        const script = await bundle(page.script);
        entrants.push({ page, script, times: [], sizes: { js: gzipSync(script).length, wasm: 0 } });
      } catch (error) {
        rows.push(cannotRun(page.way, error));
      }
    }
    const timed = entrants.filter(({ page }) => page.onlySize === undefined);
    for (let round = 0; round < rounds; round++) {
      for (const entrant of timed) await this.visit(entrant);
    }
    const ours = entrants[0].times;
    return rows.concat(
      entrants.map(({ page: { way, onlySize }, times, sizes: { js, wasm } }) => ({
        way,
        cells: [
          ...[js, wasm, js + wasm].map((bytes) => (bytes / 1000).toFixed(0)),
          onlySize ?? timingOf(times),
        ],
        ...(onlySize === undefined && way !== OURS
          ? { ratio: timingOf(times.map((time, i) => time / ours[i])) }
          : {}),
      })),
    );
  }

  private async visit(entrant: Entrant): Promise<void> {
    const sizes = { js: gzipSync(entrant.script).length, wasm: 0 };
    const server = await serve(entrant.script, this.places, () => false);
    const context = await this.browser.newContext(); // an empty cache
    try {
      const tab = await context.newPage();
      const problems: string[] = [];
      tab.on('pageerror', (error) => problems.push(error.message));
      tab.on('response', (response) => {
        const path = new URL(response.url()).pathname;
        const kind = path.endsWith('.wasm') ? 'wasm' : path.endsWith('.mjs') ? 'js' : null;
        if (kind !== null) sizes[kind] += zippedSize(path, this.places);
      });
      await tab.goto(server.url);
      await tab.waitForFunction('globalThis.finished', undefined, { timeout: 60_000 }).catch(() => {
        throw new Error(problems[0] ?? 'no answer within a minute');
      });
      const finished = (await tab.evaluate('finished')) as {
        generated: number[];
        milliseconds: number;
      };
      const got = finished.generated.join();
      if (got !== this.expected) {
        throw new Error(`page: ${entrant.page.way} generates ${got}, not ${this.expected}.`);
      }
      entrant.times.push(finished.milliseconds);
      entrant.sizes = sizes;
    } finally {
      await context.close();
      server.stop();
    }
  }
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
