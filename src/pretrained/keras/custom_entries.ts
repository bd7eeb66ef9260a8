/** Layers of the user. */
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { flows } from './attention_entries.js';
import { isFlow, type CallValue, type Flow, type LayerEntry } from './layer_entry.js';

/** A class of layers, or a function that makes a layer from its configuration, whose names are in camel case. */
export type CustomObject =
  | tf.serialization.SerializableConstructor<tfl.layers.Layer>
  | ((config: Record<string, unknown>) => tfl.layers.Layer);

function isClass(
  custom: CustomObject,
): custom is tf.serialization.SerializableConstructor<tfl.layers.Layer> {
  return 'className' in custom;
}

/** All tensors of an argument. */
function flowsIn(value: CallValue): Flow[] {
  if (isFlow(value)) return [value];
  return Array.isArray(value) ? value.flatMap(flowsIn) : [];
}

/**
 * The entry of a class of the user: all its options are handed over, and all tensors of its calls, in their order. It
 * hands on the mask of its first input when it says `supportsMasking`.
 *
 * @param custom The class or factory.
 * @returns The entry.
 */
export function customEntry(custom: CustomObject): LayerEntry {
  return {
    call: {},
    options: {},
    isCustom: true,
    make: (options) => {
      const config = { ...options };
      return isClass(custom)
        ? custom.fromConfig(custom, config as tf.serialization.ConfigDict)
        : custom(config);
    },
    apply: (layer, { values }) => {
      const inputs = Object.values(values).flatMap(flowsIn);
      const tensors = [...new Set(inputs.map(({ tensor }) => tensor))];
      const outputs = layer!.apply(tensors.length === 1 ? tensors[0] : tensors);
      return flows(outputs, layer!.supportsMasking ? inputs[0].mask : null);
    },
  };
}
