/** A training step of a GPT: how long is it by our kernels, our references, composed by hand, gpt-tfjs, PyTorch? */
import * as tf from '@tensorflow/tfjs';
import { cpus } from 'node:os';
import { models, ops, training } from 'tfjs-transformers';
import * as node from 'tfjs-transformers/node';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { ComposedGPT, type Sizes } from '../composed_gpt.js';
import { alternate, start, type Side } from '../pairs.js';
import { GptTfjs } from '../peers/gpt_tfjs.js';
import { nanogpt } from '../peers/nanogpt.js';
import { PyTorch, type Task } from '../pytorch.js';
import { cannotRun, type Row, type Table } from './table.js';

/** Sizes of the models. */
export const SIZES = {
  tiny: { layers: 4, width: 128, heads: 4, length: 128, batch: 8, vocabulary: 96 },
  wide: { layers: 6, width: 384, heads: 6, length: 256, batch: 2, vocabulary: 96 },
} satisfies Record<string, Sizes>;

/** One way to take a step; returns the loss before it. */
interface Contestant {
  step: () => Promise<number>;
  /** Which of ours it is held against; none for ours. */
  against?: string;
  /** Whether its head is tied to its embeddings, as ours is: then its second loss is ours too. */
  untied?: boolean;
}

/**
 * Answers it.
 *
 * @param size Of the model.
 * @param rounds How often each takes its turn.
 * @param atLeast Milliseconds of each in a round.
 * @returns The table.
 */
export async function trainingStep(
  size: keyof typeof SIZES,
  rounds = 5,
  atLeast = 500,
): Promise<Table> {
  const sizes: Sizes = SIZES[size];
  const { layers, width, heads, length, batch, vocabulary } = sizes;
  const learningRate = 1e-3;
  const ids = Array.from({ length: batch * length }, (_, i) => (i * 7 + (i >> 3)) % vocabulary);
  const labels = ids.map((id) => (id * 3 + 1) % vocabulary);
  const task: Task = { sizes, learningRate, ids, labels };
  const threads = cpus().length;
  const absent: Row[] = [];
  const contestants = new Map<string, Contestant>();
  const enter = async (
    way: string,
    make: () => Promise<Contestant> | Contestant,
  ): Promise<boolean> => {
    try {
      contestants.set(way, await make());
      return true;
    } catch (error) {
      absent.push(cannotRun(way, error));
      return false;
    }
  };

  const makeModel = (): tf.LayersModel =>
    models.causalLM({
      vocabularySize: vocabulary,
      maxSequenceLength: length,
      hiddenDim: width,
      numLayers: layers,
      numHeads: heads,
      seed: 1,
    });
  const tokens = (): [tf.Tensor2D, tf.Tensor2D] => [
    tf.tensor2d(ids, [batch, length], 'int32'),
    tf.tensor2d(labels, [batch, length], 'int32'),
  ];
  /** A step with our layers, loss and optimizer. */
  const ours = (backend: string, prepare?: () => void): Contestant => {
    const model = makeModel();
    const [inputs, targets] = tokens();
    const optimizer = training.adamW({ learningRate, weightDecay: 0 });
    const step = async (): Promise<number> => {
      await tf.setBackend(backend);
      prepare?.();
      return valueOf(
        optimizer.minimize(() => {
          const logits = model.apply(inputs, { training: true }) as tf.Tensor;
          return ops.sparseSoftmaxCrossEntropy(logits, targets) as tf.Scalar;
        }, true)!,
      );
    };
    return { step };
  };
  const theirs = (
    backend: string,
    against: string,
    make: () => { step: (ids: tf.Tensor2D, labels: tf.Tensor2D) => tf.Scalar },
  ): Contestant => {
    const [inputs, targets] = tokens();
    const peer = make();
    const step = async (): Promise<number> => {
      await tf.setBackend(backend);
      if (backend === 'wasm') unregisterKernels(); // TensorFlow.js as it is
      return valueOf(peer.step(inputs, targets));
    };
    return { step, against };
  };
  const composed = (backend: string, against: string): Contestant =>
    theirs(backend, against, () => new ComposedGPT(sizes, makeModel(), learningRate));
  const gptTfjs = (backend: string, against: string): Contestant => ({
    ...theirs(backend, against, () => new GptTfjs(sizes, makeModel(), learningRate)),
    untied: true,
  });
  const processes: PyTorch[] = [];
  const pytorch = async (threads: number, against: string): Promise<Contestant> => {
    const process = await PyTorch.start(makeModel(), task, threads);
    if (!process) throw new Error('no Python with torch: name one with TORCH_PYTHON');
    processes.push(process);
    return { step: () => process.step(), against };
  };

  if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
  const KERNELS = 'ours, wasm, kernels';
  await enter(KERNELS, () => ours('wasm', registerKernels));
  await enter('ours, wasm, without kernels', () => ({
    ...ours('wasm', unregisterKernels),
    against: KERNELS,
  }));
  await enter('composed by hand, wasm', () => composed('wasm', KERNELS));
  await enter('gpt-tfjs, wasm', () => gptTfjs('wasm', KERNELS));
  await enter('genai-nanogpt, wasm', nanogpt);
  await enter('PyTorch, one thread', () => pytorch(1, KERNELS));
  const NODE = `ours, tfjs-node, kernels, ${threads} threads`;
  const native = await enter(NODE, async () => {
    if (!(await start('tensorflow'))) throw new Error('not installed: npm run native');
    return ours('tensorflow', node.registerKernels);
  });
  if (native) {
    await enter(`ours, tfjs-node, without kernels, ${threads} threads`, () => ({
      ...ours('tensorflow', node.unregisterKernels),
      against: NODE,
    }));
    await enter(`composed by hand, tfjs-node, ${threads} threads`, () => composed('tensorflow', NODE)); // prettier-ignore
    await enter(`gpt-tfjs, tfjs-node, ${threads} threads`, () => gptTfjs('tensorflow', NODE));
    await enter(`PyTorch, ${threads} threads`, () => pytorch(threads, NODE));
  }

  // The same losses first: the same work is timed.
  for (let i = 0; i < 2; i++) {
    let expected: number | undefined;
    for (const [way, { step, untied = false }] of [...contestants]) {
      let loss: number;
      try {
        loss = await step();
      } catch (error) {
        absent.push(cannotRun(way, error));
        contestants.delete(way);
        continue;
      }
      expected ??= loss;
      if (!(Math.abs(loss - expected) < 2e-4 * expected) && !(untied && i > 0))
        throw new Error(`${way}: loss of step ${i} is ${loss}, by the kernels ${expected}.`);
    }
  }

  const sides = [...contestants].map(([way, { step }]) => [way, step as Side]);
  const { times, ratio } = await alternate<string>(Object.fromEntries(sides), rounds, atLeast);
  for (const process of processes) process.stop();
  registerKernels();
  node.registerKernels();
  const rows = [...contestants].map(([way, { against }]): Row => {
    const speed = ((1000 * batch * length) / times[way].median).toFixed(0);
    return {
      way,
      cells: [times[way], speed],
      ...(against === undefined ? {} : { ratio: ratio(against, way) }),
    };
  });
  return {
    name: `training step, ${size}`,
    question: `A training step of a ${size} GPT: how long is it?`,
    notes:
      `${layers} layers, width ${width}, ${heads} heads, ${batch} × ${length} tokens, ${makeModel().countParams()} parameters: forward, backward ` +
      'and Adam. All start from the same weights; their losses over two steps agree within 2e-4 (gpt-tfjs does not tie its head: its ' +
      'first loss). The ratio is against ours on the same kind of backend with as many threads.',
    columns: ['ms a step', 'tokens/s'],
    rows: [...rows, ...absent],
  };
}

async function valueOf(loss: tf.Scalar): Promise<number> {
  const [value] = await loss.data();
  loss.dispose();
  return value;
}
