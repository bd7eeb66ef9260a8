import * as tf from '@tensorflow/tfjs-core';
import { loadPackage } from '../backends/packages.js';
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import type { Callback } from './callback.js';

/** What tfjs-node makes for a folder of logs. */
interface SummaryWriter {
  scalar(name: string, value: number, step: number): void;
  flush(): void;
}

/** The part of tfjs-node that is needed. */
interface TfjsNode {
  node: { summaryFileWriter(directory: string): SummaryWriter };
}

/** Options of `tensorBoard`. */
export interface TensorBoardOptions {
  /** The module `@tensorflow/tfjs-node`, or a promise of it; imported by that name unless given. */
  tfjsNode?: unknown;
}

/**
 * A log of a training run for TensorBoard, written by tfjs-node; the run itself may be on any backend. Curves:
 * `train/loss`, `train/learning_rate`, `train/gradient_norm`, `train/tokens_per_second`, `validation/loss`, and
 * `validation/…` for each metric. Show them with `tensorboard --logdir directory`.
 *
 * @param directory Folder for the events.
 * @param options See `TensorBoardOptions`.
 * @returns For `callbacks` of `fit`.
 * @throws Error at the start of the run where tfjs-node cannot be loaded.
 */
export function tensorBoard(directory: string, options: TensorBoardOptions = {}): Callback {
  assertKnownOptions('tensorBoard', options, ['tfjsNode']);
  assert(
    typeof directory === 'string' && directory !== '',
    () => `tensorBoard: directory must be a path, got directory=${describe(directory)}.`,
  );
  let writer: SummaryWriter | undefined;
  const write = (
    group: string,
    step: number,
    values: Record<string, number | undefined>,
  ): Promise<void> =>
    onNode(() => {
      for (const [name, value] of Object.entries(values)) {
        if (value !== undefined) writer?.scalar(`${group}/${name}`, value, step);
      }
      writer?.flush();
    });
  return {
    async onStart() {
      const { node } = await load(options.tfjsNode);
      await onNode(() => (writer = node.summaryFileWriter(directory)));
    },
    onLog: ({ step, loss, learningRate, gradientNorm, tokensPerSecond }) =>
      write('train', step, {
        loss,
        learning_rate: learningRate,
        gradient_norm: gradientNorm,
        tokens_per_second: tokensPerSecond,
      }),
    onValidation: ({ step, loss, metrics }) => write('validation', step, { loss, ...metrics }),
  };
}

/** The module that writes. Importing it makes its backend the current one, which is undone. */
async function load(given: unknown): Promise<TfjsNode> {
  const before = tf.getBackend();
  const loaded = await loadPackage(
    'tensorflow',
    given === undefined ? undefined : () => Promise.resolve(given),
  );
  if (before !== '' && tf.getBackend() !== before) await tf.setBackend(before);
  assert(
    'module' in loaded,
    () =>
      `tensorBoard: @tensorflow/tfjs-node writes the events, got ${'reason' in loaded ? loaded.reason : ''}. ` +
      'Install it, or log with jsonLines.',
  );
  const { node, default: inner } = loaded.module as Partial<TfjsNode> & {
    default?: Partial<TfjsNode>;
  };
  const found = node ?? inner?.node;
  assert(
    typeof found?.summaryFileWriter === 'function',
    () =>
      'tensorBoard: tfjsNode must be the module @tensorflow/tfjs-node, got one without node.summaryFileWriter.',
  );
  return { node: found };
}

/** Runs a function while tfjs-node is the backend: it makes tensors of what it writes. */
async function onNode(write: () => unknown): Promise<void> {
  const before = tf.getBackend();
  if (before === 'tensorflow') {
    write();
    return;
  }
  await tf.setBackend('tensorflow');
  try {
    write();
  } finally {
    await tf.setBackend(before);
  }
}
