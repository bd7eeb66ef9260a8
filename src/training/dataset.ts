/** What `training.fit` needs of a dataset: batches of plain arrays, by epoch and by number. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';

/** Numbers with a shape, before they become a tensor. */
export interface HostArray {
  /** Row-major values. */
  values: Int32Array | Float32Array | Uint8Array;
  /** Sizes. */
  shape: number[];
  /** Type of the tensor. */
  dtype: 'int32' | 'float32' | 'bool';
}

/** Inputs of a model by their names, and the label of every position. */
export interface Batch {
  /** By the names of the model's inputs; names that the model does not have are left out. */
  inputs: Record<string, HostArray>;
  /** int32 [B,T]; positions with the ignored label do not count. */
  labels: HostArray;
}

/** A source of batches that can start anywhere: what a training run needs to resume. */
export interface Dataset {
  /** Number of batches in every epoch. */
  readonly batchesPerEpoch: number;
  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  batches(epoch: number, from?: number): Iterable<Batch>;
  /** Says what the order of the batches depends on; a checkpoint is refused where it differs. */
  readonly fingerprint?: string;
}

/** A batch on the current backend. */
export interface TensorBatch {
  /** By name. */
  inputs: tf.NamedTensorMap;
  /** int32 [B,T]. */
  labels: tf.Tensor;
}

/**
 * Puts a batch on the current backend.
 *
 * @param batch Plain arrays.
 * @param names Inputs to take; all unless given.
 * @returns Tensors; dispose of them after use (`tf.dispose(result)` frees all).
 */
export function toTensors(batch: Batch, names = Object.keys(batch.inputs)): TensorBatch {
  const inputs: tf.NamedTensorMap = {};
  for (const name of names) inputs[name] = tensorOf(batch.inputs[name]);
  return { inputs, labels: tensorOf(batch.labels) };
}

/**
 * Number of labels that count.
 *
 * @param batch Plain arrays.
 * @param ignoreIndex Label that does not count.
 * @returns How many others there are.
 */
export function countLabels({ labels }: Batch, ignoreIndex: number): number {
  let count = 0;
  for (const label of labels.values) if (label !== ignoreIndex) count++;
  return count;
}

/**
 * Checks that a batch can be fed to a model.
 *
 * @param where Name of the function that was called.
 * @param model The model.
 * @param batch Its batch.
 * @param ignoreIndex Label that does not count.
 * @throws Error naming the input that is missing, or the label that the vocabulary does not have.
 */
export function assertBatchFits(
  where: string,
  model: tfl.LayersModel,
  batch: Batch,
  ignoreIndex: number,
): void {
  for (const name of model.inputNames) {
    assert(
      name in batch.inputs,
      () =>
        `${where}: the dataset must yield every input of the model, got ${Object.keys(batch.inputs).join(', ')} ` +
        `but no '${name}'. Build the model without that input, or the dataset with it.`,
    );
  }
  const vocabulary = model.outputs[0].shape.at(-1);
  if (typeof vocabulary !== 'number') return;
  const wrong = batch.labels.values.find(
    (label) => label !== ignoreIndex && !(label >= 0 && label < vocabulary),
  );
  assert(
    wrong === undefined,
    () =>
      `${where}: labels must be ids between 0 and ${vocabulary - 1}, the vocabulary of the model, or ` +
      `ignoreIndex=${ignoreIndex}, got label=${wrong}. Build the model with a larger vocabularySize.`,
  );
}

function tensorOf({ values, shape, dtype }: HostArray): tf.Tensor {
  return tf.tensor(values, shape, dtype);
}
