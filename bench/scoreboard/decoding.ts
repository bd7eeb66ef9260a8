/** Cached decoding: what does one more token cost, and how does that grow with the context? */
import * as tf from '@tensorflow/tfjs';
import { cpus } from 'node:os';
import { generation, models } from 'tfjs-transformers';
import { registerKernels } from 'tfjs-transformers/wasm';
import { alternate, start, type Side, type Timing } from '../pairs.js';
import { GptTfjs } from '../peers/gpt_tfjs.js';
import { onnxDecoder, transformersJs, type Decoder } from '../peers/onnx_decoder.js';
import { onnxGpt } from '../peers/onnx_gpt.js';
import { cannotRun, type Effort, type Row, type Table } from './table.js';

interface Contestant {
  decoder: Decoder;
  /** Which of ours it is held against; none for ours. */
  against?: string;
}

/**
 * Answers it.
 *
 * @param effort Quick: contexts of 16 and 256, three rounds.
 * @returns The table.
 */
export async function decoding({ quick }: Effort): Promise<Table> {
  const sizes = { layers: 6, width: 384, heads: 6, length: 1100, vocabulary: 96 };
  const contexts = quick ? [16, 256] : [16, 256, 1024];
  const threads = cpus().length;
  await start('wasm');
  const makeModel = (): tf.LayersModel =>
    models.causalLM({
      vocabularySize: sizes.vocabulary,
      maxSequenceLength: sizes.length,
      hiddenDim: sizes.width,
      numLayers: sizes.layers,
      numHeads: sizes.heads,
      seed: 1,
    });
  const model = makeModel();
  const OURS = 'ours, wasm';
  const contestants: Record<string, Contestant> = { [OURS]: { decoder: ours('wasm', model) } };
  const absent: Row[] = [];
  const enter = async (way: string, make: () => Promise<Contestant>): Promise<void> => {
    try {
      contestants[way] = await make();
    } catch (error) {
      absent.push(cannotRun(way, error));
    }
  };
  const removals: (() => void)[] = [];

  await enter('gpt-tfjs, no cache, wasm', async () => ({
    decoder: gptTfjs('wasm', new GptTfjs(sizes, model).model),
    against: OURS,
  }));
  let bytes: Uint8Array | undefined;
  const graph = async (): Promise<Uint8Array> => (bytes ??= await onnxGpt(model, sizes));
  await enter('ONNX Runtime Web, wasm', async () => ({
    decoder: await onnxDecoder('onnxruntime-web', await graph(), sizes, 1),
    against: OURS,
  }));
  const NATIVE = `ours, tfjs-node, ${threads} threads`;
  await enter(NATIVE, async () => {
    if (!(await start('tensorflow'))) throw new Error('tfjs-node is not installed: npm run native');
    return { decoder: ours('tensorflow', makeModel()) };
  });
  const native = NATIVE in contestants ? NATIVE : OURS;
  await enter(`gpt-tfjs, no cache, tfjs-node, ${threads} threads`, async () => {
    if (native === OURS) throw new Error('tfjs-node is not installed: npm run native');
    await tf.setBackend('tensorflow');
    return { decoder: gptTfjs('tensorflow', new GptTfjs(sizes, model).model), against: native };
  });
  await enter(`ONNX Runtime Node, ${threads} threads`, async () => ({
    decoder: await onnxDecoder('onnxruntime-node', await graph(), sizes, threads),
    against: native,
  }));
  await enter('transformers.js, ONNX Runtime Node', async () => {
    const peer = await transformersJs(await graph(), sizes);
    removals.push(peer.remove);
    await tf.setBackend('wasm');
    registerKernels();
    const prompt = idsOf(16);
    const { ids } = await generation.generate(model, prompt, { maxNewTokens: 24 });
    const theirs = await peer.generate(prompt, 24);
    if (theirs.join() !== ids[0].join())
      throw new Error(`transformers.js generates ${theirs.join()}, ours ${ids[0].join()}.`);
    return { decoder: peer.decoder, against: native };
  });

  const columns = contexts.flatMap((context) => [`${context} tokens, ms`]);
  const rows: Record<string, Row> = {};
  for (const way of Object.keys(contestants)) rows[way] = { way, cells: [] };
  for (const context of contexts) {
    const sides: Record<string, Side> = {};
    let expected: Float32Array | undefined;
    for (const [way, { decoder }] of Object.entries(contestants)) {
      const step = await decoder(idsOf(context));
      const logits = await step(7);
      expected ??= logits;
      if (!logits.every((value, i) => Math.abs(value - expected![i]) < 1e-3))
        throw new Error(`decoding: logits of ${way} differ from ours at ${context} tokens.`);
      sides[way] = () => step(7);
    }
    const { times, ratio } = await alternate(sides, quick ? 5 : 9, quick ? 100 : 200, 100);
    for (const [way, { against }] of Object.entries(contestants)) {
      rows[way].cells.push(times[way]);
      if (against !== undefined) rows[way].ratio = ratio(against, way);
    }
  }
  for (const row of Object.values(rows)) {
    const [first, last] = [row.cells[0], row.cells.at(-1)] as Timing[];
    row.cells.push((last.median / first.median).toFixed(1), perSecond(last.median));
  }
  for (const remove of removals) remove();
  return {
    name: 'decoding',
    question: 'One more token: what does it cost, and how does that grow with the context?',
    notes:
      `A GPT of ${sizes.layers} layers, width ${sizes.width}, one row, the same weights everywhere (for ONNX exported as a graph with a ` +
      'cache). The logits of that token agree within 1e-3, and what transformers.js generates greedily is what ours does. The ratio is ' +
      `that at ${contexts.at(-1)} tokens, against ours on the same kind of backend.`,
    columns: [...columns, 'growth', `tokens/s at ${contexts.at(-1)}`],
    rows: [...Object.values(rows), ...absent],
  };
}

function perSecond(milliseconds: number): string {
  const rate = 1000 / milliseconds;
  return rate.toFixed(rate < 10 ? 1 : 0);
}

function idsOf(length: number): number[] {
  return Array.from({ length }, (_, i) => (i * 5) % 96);
}

function ours(backend: string, model: tf.LayersModel): Decoder {
  const kwargs = { training: false, lastPositionOnly: true };
  const run = async (ids: number[], cache: object): Promise<Float32Array> => {
    const logits = tf.tidy(() =>
      tf.reshape(
        model.apply(tf.tensor2d([ids], undefined, 'int32'), { ...kwargs, cache }) as tf.Tensor,
        [-1],
      ),
    );
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    return values;
  };
  return async (ids) => {
    await use(backend);
    const cache = generation.createCache(model);
    await run(ids, cache);
    return async (next) => {
      await use(backend);
      const values = await run([next], cache);
      cache.trim(ids.length);
      return values;
    };
  };
}

function gptTfjs(backend: string, model: tf.LayersModel): Decoder {
  return async (ids) => async (next) => {
    await use(backend);
    const logits = tf.tidy(() => {
      const all = tf.tensor2d([[...ids, next]], undefined, 'int32');
      const every = model.predict(all) as tf.Tensor3D;
      return tf.slice(every, [0, ids.length, 0], [1, 1, -1]).flatten();
    });
    const values = (await logits.data()) as Float32Array;
    logits.dispose();
    return values;
  };
}

async function use(backend: string): Promise<void> {
  if (tf.getBackend() === backend) return;
  await tf.setBackend(backend);
}
