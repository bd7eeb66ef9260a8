/** What `training.fit` needs of a dataset: batches of plain arrays, by epoch and by number. */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import { assertExactIntegers, storesHalfFloats } from '../util/half_floats.js';

/** Numbers with a shape, before they become a tensor. */
export interface HostArray {
  /** Row-major values. */
  values: Int32Array | Float32Array | Uint8Array;
  /** Sizes. */
  shape: number[];
  /** Type of the tensor. */
  dtype: 'int32' | 'float32' | 'bool';
}

/** Inputs of a model by their names, and its labels. */
export interface Batch {
  /** By the names of the model's inputs; names that the model does not have are left out. */
  inputs: Record<string, HostArray>;
  /**
   * For a language model int32 [B,T], for a classifier int32 [B]; whatever another loss takes. Whole-number labels
   * (int32) with the ignored value do not count; float labels all count.
   */
  labels: HostArray;
}

/** A source of batches that can start anywhere: what a training run needs to resume. */
export interface Dataset {
  /** Number of batches in every epoch; undefined where only reading to the end tells. */
  readonly batchesPerEpoch?: number | undefined;
  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  batches(epoch: number, from?: number): Iterable<Batch> | AsyncIterable<Batch>;
  /** Says what the order of the batches depends on; a checkpoint is refused where it differs. */
  readonly fingerprint?: string;
  /** Inputs without which the batches would mean something else, so that a model must have them. */
  readonly requiredInputs?: readonly string[];
}

/** A batch on the current backend. */
export interface TensorBatch {
  /** By name. */
  inputs: tf.NamedTensorMap;
  /** Of the batch's shape. */
  labels: tf.Tensor;
}

/** One batch after the other, as TensorFlow.js' `fitDataset` takes them. */
export interface TensorIterator {
  /** The next batch, or `done`. */
  next(): Promise<IteratorResult<{ xs: tf.NamedTensorMap; ys: tf.Tensor }>>;
}

/**
 * What every dataset of this package has beside its batches: the names under which TensorFlow.js' `fitDataset` and
 * `evaluateDataset` look for a dataset.
 */
export abstract class BaseDataset implements Dataset {
  abstract readonly batchesPerEpoch: number | undefined;
  abstract readonly fingerprint: string;
  private epochsBegun = 0;

  /** The batches of an epoch, the same ones on every call. */
  abstract batches(epoch?: number, from?: number): Iterable<Batch> | AsyncIterable<Batch>;

  /** Number of batches in an epoch, under the name that TensorFlow.js' `fitDataset` reads; null where it is not known. */
  get size(): number | null {
    return this.batchesPerEpoch ?? null;
  }

  /**
   * An iterator as TensorFlow.js' `fitDataset` and `evaluateDataset` take it: tensors `{xs, ys}`, one epoch on from
   * call to call.
   *
   * @returns The iterator.
   */
  iterator(): Promise<TensorIterator> {
    const batches = iterate(this.batches(this.epochsBegun++));
    const next: TensorIterator['next'] = async () => {
      const { value, done } = await batches.next();
      if (done) return { value: null, done: true };
      const { inputs, labels } = toTensors(value);
      return { value: { xs: inputs, ys: labels }, done: false };
    };
    return Promise.resolve({ next });
  }
}

/**
 * An iterator over batches, whether they come at once or are awaited.
 *
 * @param batches What `Dataset.batches` returned.
 * @returns `next` may give a result or a promise of one.
 */
export function iterate(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): Iterator<Batch, undefined> | AsyncIterator<Batch, undefined> {
  return Symbol.asyncIterator in batches
    ? (batches[Symbol.asyncIterator]() as AsyncIterator<Batch, undefined>)
    : (batches[Symbol.iterator]() as Iterator<Batch, undefined>);
}

/**
 * Puts a batch on the current backend.
 *
 * @param batch Plain arrays.
 * @param names Inputs to take; all unless given.
 * @returns Tensors; dispose of them after use (`tf.dispose(result)` frees all).
 * @throws Error when the backend stores 16-bit floats and an integer is above 2,048.
 */
export function toTensors(batch: Batch, names = Object.keys(batch.inputs)): TensorBatch {
  const inputs: tf.NamedTensorMap = {};
  for (const name of names) inputs[name] = tensorOf(name, batch.inputs[name]);
  return { inputs, labels: tensorOf('labels', batch.labels) };
}

/**
 * Number of labels that count.
 *
 * @param batch Plain arrays.
 * @param ignoreIndex Label that does not count; float labels all count.
 * @returns How many others there are.
 */
export function countLabels({ labels }: Batch, ignoreIndex: number): number {
  if (labels.dtype !== 'int32') return labels.values.length;
  let count = 0;
  for (const label of labels.values) if (label !== ignoreIndex) count++;
  return count;
}

/**
 * Checks that a dataset and a model belong together, as far as that shows before the first batch.
 *
 * @param where Name of the function that was called.
 * @param model The model.
 * @param dataset The dataset.
 * @throws Error naming the input that the model lacks.
 */
export function assertDatasetFits(where: string, model: tfl.LayersModel, dataset: Dataset): void {
  for (const name of dataset.requiredInputs ?? []) {
    assert(
      model.inputNames.includes(name),
      () =>
        `${where}: the model must take '${name}', without which packed documents see each other, ` +
        `got inputs ${model.inputNames.join(', ')}. Build it with inputs: ['tokenIds', '${name}', 'positions'].`,
    );
  }
}

/**
 * Checks that a batch can be fed to a model.
 *
 * @param where Name of the function that was called.
 * @param model The model.
 * @param batch Its batch.
 * @param ignoreIndex Label that does not count; null where labels are no ids.
 * @throws Error naming the input that is missing, or the label that the vocabulary does not have.
 */
export function assertBatchFits(
  where: string,
  model: tfl.LayersModel,
  batch: Batch,
  ignoreIndex: number | null,
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
  if (ignoreIndex === null || typeof vocabulary !== 'number') return;
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

function tensorOf(name: string, { values, shape, dtype }: HostArray): tf.Tensor {
  if (dtype === 'int32' && storesHalfFloats()) {
    let largest = 0;
    for (const id of values) largest = Math.max(largest, id);
    assertExactIntegers('dataset', name, largest);
  }
  return tf.tensor(values, shape, dtype);
}
