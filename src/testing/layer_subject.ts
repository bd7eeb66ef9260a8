/** The layer under test: how it is made, called, put into a model, compared and given back. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { coordinates } from './finite_difference.js';
import { runOnHost, type HostOutput, type Outputs } from './tape.js';

/** A layer of tf.layers; the class is exported as a value only under `tfl.layers`. */
export type Layer = tfl.layers.Layer;

/**
 * Calls a layer on tensors: alone when there is one, as an array when there are several.
 *
 * @param layer The layer.
 * @param inputs Its inputs.
 * @returns What it returns.
 */
export function callLayer(layer: Layer, inputs: tf.Tensor[]): Outputs {
  return layer.apply(inputs.length === 1 ? inputs[0] : inputs) as Outputs;
}

/**
 * A functional model of layers side by side, with an open batch axis.
 *
 * @param layers The layers; all get the same inputs.
 * @param inputs Tensors that the symbolic inputs take shape and dtype from.
 * @returns The model.
 */
export function modelOf(layers: Layer[], inputs: tf.Tensor[]): tfl.LayersModel {
  const symbols = inputs.map(({ shape, dtype }) =>
    tfl.input({ batchShape: [null, ...shape.slice(1)], dtype }),
  );
  const outputs = layers.flatMap((layer) =>
    layer.apply(symbols.length === 1 ? symbols[0] : symbols),
  ) as tfl.SymbolicTensor[];
  return tfl.model({ inputs: symbols, outputs });
}

/**
 * Runs a model's `predict` and brings the outputs to the host.
 *
 * @param model The model.
 * @param inputs Its inputs.
 * @returns The outputs.
 */
export function predictOnHost(model: tfl.LayersModel, inputs: tf.Tensor[]): Promise<HostOutput[]> {
  return runOnHost(() => model.predict(inputs.length === 1 ? inputs[0] : inputs));
}

/**
 * Copies weights from one layer to another, both built.
 *
 * @param from Where the weights are.
 * @param to Where they go.
 * @throws Error when numbers or shapes of weights differ.
 */
export function copyWeights(from: Layer, to: Layer): void {
  const shapes = (layer: Layer): string => layer.weights.map((w) => shapeText(w.shape)).join(' ');
  assert(
    shapes(from) === shapes(to),
    () => `it has weights of other shapes: ${shapes(to)} instead of ${shapes(from)}`,
  );
  to.setWeights(from.getWeights());
}

/**
 * Compares outputs bit by bit.
 *
 * @param got Outputs of one way.
 * @param expected Outputs of the other.
 * @returns Nothing when they are equal; else where they differ most.
 */
export function findDifference(got: HostOutput[], expected: HostOutput[]): string | undefined {
  if (got.length !== expected.length) return `${got.length} outputs instead of ${expected.length}`;
  for (let k = 0; k < got.length; k++) {
    const name = got.length === 1 ? 'the output' : `output ${k}`;
    const { shape, values } = expected[k];
    if (shapeText(got[k].shape) !== shapeText(shape)) {
      return `${name} has shape ${shapeText(got[k].shape)} instead of ${shapeText(shape)}`;
    }
    let worst = -1;
    let most = 0;
    for (let i = 0; i < values.length; i++) {
      const a = got[k].values[i];
      const b = values[i];
      const distance = Object.is(a, b) ? 0 : Math.abs(a - b);
      if (distance > most || Number.isNaN(distance)) {
        most = Number.isNaN(distance) ? Infinity : distance;
        worst = i;
      }
    }
    if (worst >= 0) {
      const place = coordinates(worst, shape).join(',');
      return `${name} at [${place}] is ${got[k].values[worst]} instead of ${values[worst]}`;
    }
  }
  return undefined;
}

/**
 * The first place where two configurations differ.
 *
 * @param a The value that was given.
 * @param b What it became. Where `a` has nothing (null, undefined, no such key) anything may stand: defaults filled in.
 * @param path Where these values are, for the text.
 * @returns Nothing when they are equal; else the place with both values.
 */
export function findConfigDifference(a: unknown, b: unknown, path = ''): string | undefined {
  if (a === null || a === undefined) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || b === null) {
    return Object.is(a, b)
      ? undefined
      : `${path || 'config'}: ${describe(a)} became ${describe(b)}`;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const found = findConfigDifference(left[key], right[key], path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Disposes of the weights of layers that are still there, each weight once.
 *
 * @param layers Layers, built or not.
 */
export function releaseLayers(layers: Layer[]): void {
  const weights = new Set(layers.flatMap((layer) => layer.weights));
  for (const weight of weights) weight.dispose();
}
