/** Cached decoding of an ONNX graph (onnx_gpt.ts) by ONNX Runtime, wasm or native, and through transformers.js. */
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Sizes } from '../composed_gpt.js';

type ModelSizes = Omit<Sizes, 'batch'>;

/**
 * Feeds a prompt, and hands out the step after it.
 *
 * @param ids The prompt.
 * @returns Computes the logits of one more token; the cache stays as the prompt left it, so that it can be repeated.
 */
export type Decoder = (ids: number[]) => Promise<(next: number) => Promise<Float32Array>>;

/**
 * Opens the graph with ONNX Runtime.
 *
 * @param runtime Package.
 * @param bytes The graph.
 * @param sizes Its sizes.
 * @param threads Of the native one; the wasm one runs on one.
 * @returns Its decoder.
 * @throws Error where the package is not installed or refuses the graph.
 */
export async function onnxDecoder(
  runtime: 'onnxruntime-web' | 'onnxruntime-node',
  bytes: Uint8Array,
  { layers, width, heads }: ModelSizes,
  threads: number,
): Promise<Decoder> {
  const name: string = runtime;
  const module = await import(name);
  const ort = module.InferenceSession ? module : module.default;
  const web = runtime === 'onnxruntime-web';
  if (web) Object.assign(ort.env.wasm, { numThreads: 1 });
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [web ? 'wasm' : 'cpu'],
    ...(web ? {} : { intraOpNumThreads: threads }),
  });
  const integers = (values: number[]): object =>
    new ort.Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length]);
  const run = (ids: number[], past: Record<string, object>, before: number): Promise<any> =>
    session.run({
      input_ids: integers(ids),
      attention_mask: integers(Array<number>(before + ids.length).fill(1)),
      position_ids: integers(ids.map((_, i) => before + i)),
      ...past,
    });
  const names = Array.from({ length: layers }, (_, i) => [`${i}.key`, `${i}.value`]).flat();
  return async (ids) => {
    const empty = new ort.Tensor('float32', new Float32Array(0), [1, heads, 0, width / heads]);
    const first = await run(
      ids,
      Object.fromEntries(names.map((name) => [`past_key_values.${name}`, empty])),
      0,
    );
    const past = Object.fromEntries(
      names.map((name) => [`past_key_values.${name}`, first[`present.${name}`]]),
    );
    return async (next) => (await run([next], past, ids.length)).logits.data as Float32Array;
  };
}

/**
 * Opens it with transformers.js, which runs it on onnxruntime-node in Node.
 *
 * @param bytes The graph.
 * @param sizes Its sizes.
 * @returns Its decoder; `generate`, which continues a prompt greedily; and `remove` for the folder it was loaded from.
 * @throws Error where the package is not installed or refuses the graph.
 */
export async function transformersJs(
  bytes: Uint8Array,
  sizes: ModelSizes,
): Promise<{
  decoder: Decoder;
  generate: (ids: number[], maxNewTokens: number) => Promise<number[]>;
  remove: () => void;
}> {
  // As a path: tsx would take the package's types for its code.
  const entry = createRequire(import.meta.url).resolve('@huggingface/transformers');
  const { AutoModelForCausalLM, Tensor, env } = await import(
    pathToFileURL(entry.replace(/\.cjs$/, '.mjs')).href
  );
  const folder = mkdtempSync(join(tmpdir(), 'transformers-js-'));
  const remove = (): void => rmSync(folder, { recursive: true });
  try {
    writeModelFolder(join(folder, 'gpt'), bytes, sizes);
    Object.assign(env, { allowRemoteModels: false, localModelPath: folder });
    const model = await AutoModelForCausalLM.from_pretrained('gpt', { dtype: 'fp32' });
    const integers = (values: number[]): object =>
      new Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length]);
    const inputs = (ids: number[], before: number): object => ({
      input_ids: integers(ids),
      attention_mask: integers(Array<number>(before + ids.length).fill(1)),
      position_ids: integers(ids.map((_, i) => before + i)),
    });
    return {
      decoder: async (ids) => {
        const first = await model(inputs(ids, 0));
        const past = Object.fromEntries(
          Object.entries(first)
            .filter(([name]) => name.startsWith('present'))
            .map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor]),
        );
        return async (next) => {
          const { logits } = await model({ ...inputs([next], ids.length), past_key_values: past });
          return logits.data as Float32Array;
        };
      },
      generate: async (ids, maxNewTokens) => {
        const output = await model.generate({
          ...inputs(ids, 0),
          position_ids: undefined,
          max_new_tokens: maxNewTokens,
          do_sample: false,
        });
        return (output.tolist() as bigint[][])[0].map(Number);
      },
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * Writes what transformers.js loads: the graph and its configuration.
 *
 * @param folder Where to; made.
 * @param bytes The graph.
 * @param sizes Its sizes.
 */
export function writeModelFolder(folder: string, bytes: Uint8Array, sizes: ModelSizes): void {
  const { layers, width, heads, length, vocabulary } = sizes;
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  writeFileSync(join(folder, 'onnx', 'model.onnx'), bytes);
  const config = {
    ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], vocab_size: vocabulary },
    ...{ n_layer: layers, n_embd: width, n_head: heads, n_positions: length, n_ctx: length },
    // No token ends a sequence here.
    ...{ bos_token_id: vocabulary, eos_token_id: vocabulary },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}
