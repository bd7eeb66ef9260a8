/**
 * Checkpoints: everything that a training run needs to go on as if it had not stopped. Weights, the state of the
 * optimizer, the step, the place in the dataset, and the random streams of dropout.
 */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { collectRandomStreams } from '../layers/random_streams.js';
import { assert, describe } from '../util/errors.js';
import type { RandomState } from '../util/random.js';
import { decodeCheckpoint, encodeCheckpoint, type StoredTensor } from './checkpoint_file.js';
import type { BestState } from './early_stopping.js';
import type { CheckpointStorage } from './storage.js';
import { stableWeightNames } from './weight_names.js';

/** Where a run stands, beside its tensors. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  /** Epoch of the next batch. */
  epoch: number;
  /** Number of the next batch in its epoch. */
  batch: number;
  /** What the order of the batches depends on. */
  fingerprint?: string;
  /** The best validation so far, where there was one. */
  best?: BestState;
}

/** What belongs to a run and is saved with it. */
export interface TrainingParts {
  /** The model in training. */
  model: tfl.LayersModel;
  /** Its optimizer; without one, only the model is restored. */
  optimizer?: tf.Optimizer;
}

const FORMAT = 'tfjs-transformers training checkpoint';
const VERSION = 1;
const NAME = /^step-\d{9}\.safetensors$/;
const BEST = /^best-\d{9}\.safetensors$/;

/**
 * Saves a checkpoint under the name `step-000000120.safetensors`, a safetensors file.
 *
 * @param storage Where to.
 * @param parts The model, and its optimizer.
 * @param state Where the run stands.
 * @param keep How many checkpoints to keep, this one included; older ones are removed. All unless given.
 * @returns The name.
 */
export async function saveCheckpoint(
  storage: CheckpointStorage,
  parts: TrainingParts,
  state: TrainingState,
  keep = Infinity,
): Promise<string> {
  const name = `step-${String(state.step).padStart(9, '0')}.safetensors`;
  await write(storage, name, parts, state);
  for (const old of (await listCheckpoints(storage)).slice(0, -keep)) {
    if (old !== name) await storage.remove(old);
  }
  return name;
}

/**
 * Saves a checkpoint under the name `best-000000120.safetensors`, beside those of `saveCheckpoint`, and removes other
 * best ones.
 *
 * @param storage Where to.
 * @param parts The model, and its optimizer.
 * @param state Where the run stands.
 * @param alsoKeep Step of another best one to keep: the one that the newest checkpoint refers to.
 * @returns The name.
 */
export async function saveBestCheckpoint(
  storage: CheckpointStorage,
  parts: TrainingParts,
  state: TrainingState,
  alsoKeep?: number,
): Promise<string> {
  const name = bestName(state.step);
  await write(storage, name, parts, state);
  await removeBestBut(storage, [state.step, ...(alsoKeep === undefined ? [] : [alsoKeep])]);
  return name;
}

/**
 * Removes best checkpoints.
 *
 * @param storage Where from.
 * @param steps Steps of those that stay.
 */
export async function removeBestBut(
  storage: CheckpointStorage,
  steps: readonly number[],
): Promise<void> {
  const kept = steps.map(bestName);
  for (const old of await storage.list()) {
    if (BEST.test(old) && !kept.includes(old)) await storage.remove(old);
  }
}

/**
 * Name of the checkpoint with the best validation.
 *
 * @param storage Where to look.
 * @returns The name, or undefined where none was kept (`checkpoint.keepBest`, `earlyStopping.restoreBest`).
 */
export async function bestCheckpoint(storage: CheckpointStorage): Promise<string | undefined> {
  return (await storage.list())
    .filter((name) => BEST.test(name))
    .sort()
    .at(-1);
}

/**
 * Name under which the best checkpoint of a step is kept.
 *
 * @param step The step.
 * @returns For example `best-000000120.safetensors`.
 */
export function bestName(step: number): string {
  return `best-${String(step).padStart(9, '0')}.safetensors`;
}

async function write(
  storage: CheckpointStorage,
  name: string,
  { model, optimizer }: TrainingParts,
  state: TrainingState,
): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  const names = stableWeightNames(model.weights.map((weight) => weight.originalName));
  for (const [i, weight] of model.weights.entries()) {
    const stored = await store(weight.read());
    assertFinite(names[i], stored, state.step);
    tensors.set(`model/${names[i]}`, stored);
  }
  const optimizerState = (await optimizer?.getWeights()) ?? [];
  for (const { name, tensor } of optimizerState)
    tensors.set(`optimizer/${name}`, await store(tensor));
  // The step is a tensor made for us; the others are the optimizer's own.
  optimizerState[0]?.tensor.dispose();
  const streams: Record<string, RandomState> = {};
  for (const [name, { seed, counter }] of collectRandomStreams(model))
    streams[name] = { seed, counter };
  const bytes = encodeCheckpoint(tensors, {
    format: FORMAT,
    version: VERSION,
    ...state,
    optimizer: optimizer?.getClassName() ?? null,
    streams,
  });
  await storage.write(name, bytes);
}

/** A model that is lost must not replace a good checkpoint. */
function assertFinite(name: string, { values }: StoredTensor, step: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  assert(
    bad < 0,
    () =>
      `saveCheckpoint: weights must be finite, got ${values[bad]} in '${name}' at step ${step}. ` +
      'Go back to an older checkpoint, with a lower learning rate, a warm-up, or clipNorm.',
  );
}

/**
 * Restores a model, its optimizer and its random streams. Nothing is changed when anything does not fit.
 *
 * @param storage Where from.
 * @param name What `saveCheckpoint` returned, `'latest'`, or `'best'`.
 * @param parts The model, and its optimizer.
 * @returns Where the run stood.
 * @throws Error when there is no such checkpoint, it is damaged, or it belongs to another model or optimizer.
 */
export async function loadCheckpoint(
  storage: CheckpointStorage,
  name: string,
  parts: TrainingParts,
): Promise<TrainingState> {
  const { model, optimizer } = parts;
  const find = { latest: latestCheckpoint, best: bestCheckpoint };
  const file = Object.hasOwn(find, name) ? await find[name as 'latest' | 'best'](storage) : name;
  assert(
    file !== undefined,
    () =>
      `loadCheckpoint: the storage must hold a checkpoint for '${name}', got none. ` +
      (name === 'best'
        ? 'Train with validationData and checkpoint.keepBest.'
        : 'Train without resuming first.'),
  );
  const where = `loadCheckpoint: ${file}`;
  const { tensors, state } = decodeCheckpoint(where, await storage.read(file));
  assert(
    state.format === FORMAT && state.version === VERSION,
    () =>
      `${where}: the file must be a checkpoint of version ${VERSION}, got format=${describe(state.format)}, ` +
      `version=${describe(state.version)}.`,
  );
  const weights = matchWeights(where, model, within(tensors, 'model/'));
  const moments = within(tensors, 'optimizer/');
  assert(
    optimizer === undefined || state.optimizer === optimizer.getClassName(),
    () =>
      `${where}: the optimizer must be the one that was saved, ${describe(state.optimizer)}, ` +
      `got '${optimizer!.getClassName()}'.`,
  );
  const streams = collectRandomStreams(model);
  const saved = Object.entries(state.streams as Record<string, RandomState>);
  const order = [...streams.values()];
  const fits = saved.length === order.length;
  assert(
    fits || optimizer === undefined,
    () =>
      `${where}: the model must have ${saved.length} layers with dropout as the saved one, got ${order.length}.`,
  );
  if (optimizer !== undefined) {
    const restored = [...moments].map(([key, stored]) => ({ name: key, tensor: toTensor(stored) }));
    try {
      await optimizer.setWeights(restored);
    } finally {
      tf.dispose(restored.map(({ tensor }) => tensor));
    }
  }
  tf.tidy(() => {
    model.weights.forEach((weight, i) =>
      (weight.read() as tf.Variable).assign(toTensor(weights[i])),
    );
  });
  if (fits) saved.forEach(([key, random], i) => (streams.get(key) ?? order[i]).restore(random));
  const { step, epoch, batch, fingerprint, best } = state as unknown as TrainingState;
  return { step, epoch, batch, fingerprint, best };
}

/**
 * Names of all checkpoints, the oldest first.
 *
 * @param storage Where to look.
 * @returns Names for `loadCheckpoint` and for `resumeFrom` of `fit`.
 */
export async function listCheckpoints(storage: CheckpointStorage): Promise<string[]> {
  return (await storage.list()).filter((name) => NAME.test(name)).sort();
}

/**
 * Name of the newest checkpoint. `fit(…, { resumeFrom: await latestCheckpoint(storage) })` goes on where there is one
 * and starts anew where there is none.
 *
 * @param storage Where to look.
 * @returns The name, or undefined where there is none.
 */
export async function latestCheckpoint(storage: CheckpointStorage): Promise<string | undefined> {
  return (await listCheckpoints(storage)).at(-1);
}

/** The saved weights in the order of the model: by name, or in order where only the names differ. */
function matchWeights(
  where: string,
  model: tfl.LayersModel,
  saved: Map<string, StoredTensor>,
): StoredTensor[] {
  const names = stableWeightNames(model.weights.map((weight) => weight.originalName));
  const order = [...saved.values()];
  const fits = (stored: StoredTensor | undefined, i: number): boolean =>
    stored !== undefined &&
    stored.dtype === model.weights[i].dtype &&
    tf.util.arraysEqual(stored.shape, model.weights[i].shape as number[]);
  assert(
    saved.size === names.length,
    () =>
      `${where}: the model must have ${saved.size} weights as the saved one, got ${names.length}. ` +
      'Build it with the options of the run that was saved.',
  );
  if (names.every((name, i) => fits(saved.get(name), i)))
    return names.map((name) => saved.get(name)!);
  const wrong = order.findIndex((stored, i) => !fits(stored, i));
  assert(
    wrong < 0,
    () =>
      `${where}: weight ${wrong} must be '${[...saved.keys()][wrong]}' of shape [${order[wrong].shape}] as in the ` +
      `saved model, got '${names[wrong]}' of shape [${model.weights[wrong].shape}]. ` +
      'Build the model with the options of the run that was saved.',
  );
  return order;
}

function within(tensors: Map<string, StoredTensor>, prefix: string): Map<string, StoredTensor> {
  return new Map(
    [...tensors].flatMap(([name, stored]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), stored]] : [],
    ),
  );
}

async function store(tensor: tf.Tensor): Promise<StoredTensor> {
  const dtype = tensor.dtype as StoredTensor['dtype'];
  const values: StoredTensor['values'] = await tensor.data();
  return { values, shape: tensor.shape, dtype };
}

function toTensor({ values, shape, dtype }: StoredTensor): tf.Tensor {
  return tf.tensor(values, shape, dtype);
}
