/** The memory of the backend while kernels run in it: it may grow at any time, and nothing may stay in it. */
import * as tf from '@tensorflow/tfjs';
import { generation, models, ops, training } from 'tfjs-transformers';
import { accelerate } from 'tfjs-transformers/wasm';
import type { WasmBackend } from '../../../src/kernels/wasm/module.js';
import { forcePath } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { Chance } from '../../support/chance.js';
import { expectIdentical } from '../../support/expect_close.js';
import { cases } from '../fuzz_cases.js';

const wasm = (): WasmBackend['wasm'] => (tf.backend() as unknown as WasmBackend).wasm;

/** Runs a function with the backend's functions for memory replaced. */
async function withAllocator<T>(
  replacement: (
    original: Pick<WasmBackend['wasm'], '_malloc' | '_free'>,
  ) => Partial<WasmBackend['wasm']>,
  body: () => T | Promise<T>,
): Promise<T> {
  const module = wasm();
  const { _malloc, _free } = module;
  Object.assign(module, replacement({ _malloc, _free }));
  try {
    return await body();
  } finally {
    Object.assign(module, { _malloc, _free });
  }
}

describeKernels('memory that grows', () => {
  const growing = ['linear', 'dotProductAttention', 'layerNorm', 'sparseSoftmaxCrossEntropy'];

  test.each(growing)('in the middle of %s, and before it', async (name) => {
    const { inputs, operation } = cases[name](new Chance(3));
    const run = (): tf.Tensor[] =>
      forcePath('kernel', () =>
        tf.tidy(() => [operation(...inputs), ...tf.grads(operation)(inputs)]),
      );
    let calls = 0;
    const expected = await withAllocator(
      ({ _malloc }) => ({ _malloc: (bytes) => (calls++, _malloc(bytes)) }),
      run,
    );
    // Output and scratch memory of earlier calls are in use when the last one makes the memory grow.
    const last = calls;
    calls = 0;
    const before = wasm().HEAPU8.length;
    const actual = await withAllocator(
      ({ _malloc, _free }) => ({
        _malloc: (bytes) => {
          const pointer = _malloc(bytes);
          if (++calls === last) _free(_malloc(wasm().HEAPU8.length));
          return pointer;
        },
      }),
      run,
    );
    expect(wasm().HEAPU8.length).toBeGreaterThan(before);
    run().forEach((tensor, i) => expectIdentical(tensor, expected[i]));
    actual.forEach((tensor, i) => expectIdentical(tensor, expected[i]));
  });
});

describeKernels('memory is given back', () => {
  const shapes: Record<string, Partial<models.CausalLMOptions>> = {
    'GPT-2': { dropout: 0.1 },
    Llama: {
      position: 'rotary',
      normalization: 'rms',
      activation: 'silu',
      gated: true,
      attentionBias: false,
      mlpBias: false,
      numKeyValueHeads: 1,
      tieEmbeddings: false,
    },
  };
  const makeModel = (shape: string): tf.LayersModel =>
    models.causalLM({
      ...{
        vocabularySize: 11,
        maxSequenceLength: 64,
        hiddenDim: 6,
        numLayers: 1,
        numHeads: 3,
        seed: 1,
      },
      ...shapes[shape],
    });

  /** Runs a function with a look at what is there: tensors, data, memory handed out, size of the memory. */
  function counting<T>(body: (state: () => object) => Promise<T>): Promise<T> {
    const held = new Set<number>();
    return withAllocator(
      ({ _malloc, _free }) => ({
        _malloc: (bytes) => {
          const pointer = _malloc(bytes);
          held.add(pointer >>> 0);
          return pointer;
        },
        _free: (pointer) => {
          held.delete(pointer >>> 0);
          _free(pointer);
        },
      }),
      () =>
        body(() => {
          const { numTensors, numBytes } = tf.memory();
          const dataIds = tf.backend().numDataIds();
          return { numTensors, numBytes, dataIds, blocks: held.size, heap: wasm().HEAPU8.length };
        }),
    );
  }

  test.each([
    ['GPT-2', 'as it is'],
    ['Llama', 'accelerated'],
  ])(
    'after a thousand steps of training a model like %s, TensorFlow.js %s',
    async (shape, way) => {
      const undo = way === 'accelerated' ? accelerate() : () => undefined;
      await counting(async (state) => {
        const model = makeModel(shape);
        const optimizer = training.adamW({ clipNorm: 1 });
        const rows = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [2, 6], 'int32');
        const [ids, labels] = [tf.slice(rows, [0, 0], [2, 5]), tf.slice(rows, [0, 1], [2, 5])];
        const step = (): void => {
          optimizer.minimize(() => {
            const logits = model.apply(ids, { training: true }) as tf.Tensor;
            return ops.sparseSoftmaxCrossEntropy(logits, labels) as tf.Scalar;
          });
        };
        for (let i = 0; i < 20; i++) step();
        const early = state();
        for (let i = 0; i < 1000; i++) step();
        expect(state()).toEqual(early);
        optimizer.dispose();
        model.dispose();
        tf.dispose([rows, ids, labels]);
      });
      undo();
    },
    120_000,
  );

  test.each(Object.keys(shapes))('after three texts by a model like %s', async (shape) => {
    await counting(async (state) => {
      const model = makeModel(shape);
      const generate = (): Promise<unknown> =>
        generation.generate(model, [[1, 2, 3], [4]], { maxNewTokens: 50 });
      await generate();
      const early = state();
      for (let i = 0; i < 3; i++) await generate();
      expect(state()).toEqual(early);
      model.dispose();
    });
  });
});
