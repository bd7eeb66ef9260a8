/** Every class of Keras that is known. */
import { ATTENTION, MULTI_HEAD_OF_KERAS_2 } from './attention_entries.js';
import { CORE } from './core_entries.js';
import { customEntry, type CustomObject } from './custom_entries.js';
import type { GraphLayer } from './graph.js';
import { HUB } from './hub_entries.js';
import { keras2Operator } from './keras2_operators.js';
import type { KerasVersion } from './keras_version.js';
import type { LayerEntry } from './layer_entry.js';
import { MERGE } from './merge_entries.js';
import { OPERATOR } from './operator_entries.js';
import { TFJS } from './tfjs_entries.js';
import { wrapperEntry } from './wrapper_entries.js';

/** Layers by class. */
const LAYERS: Readonly<Record<string, LayerEntry>> = {
  ...TFJS,
  ...CORE,
  ...MERGE,
  ...ATTENTION,
  ...HUB,
};

/** Packages whose classes are those of the table. */
const PACKAGES = ['keras', 'keras_hub', 'keras_nlp'];

/** What the user gave. */
export interface CustomObjects {
  /** Classes and factories of layers, by their names in the file. */
  readonly layers: ReadonlyMap<string, CustomObject>;
  /** Names of activations, by their names in the file. */
  readonly activations: ReadonlyMap<string, string>;
}

/**
 * What is known of the class of a layer.
 *
 * @param layer The layer; no model.
 * @param version Version of Keras.
 * @param custom What the user gave.
 * @returns The entry, or null when the class is not known.
 */
export function entryOf(
  layer: GraphLayer,
  version: KerasVersion,
  custom: CustomObjects,
): LayerEntry | null {
  const { className, registeredName, module, isOperator } = layer;
  const own = custom.layers.get(registeredName ?? className) ?? custom.layers.get(className);
  if (own) return customEntry(own);
  if (isOperator) return at(OPERATOR, className);
  if (version.major < 3) {
    const operator = keras2Operator(layer);
    if (operator) return operator;
    if (className === 'MultiHeadAttention' && isOfKeras(registeredName, module)) {
      return MULTI_HEAD_OF_KERAS_2;
    }
  }
  if (!isOfKeras(registeredName, module)) return null;
  const inner = wrapperEntry(layer, version, (wrapped) => entryOf(wrapped, version, custom));
  return inner ?? at(LAYERS, className);
}

function at(table: Readonly<Record<string, LayerEntry>>, name: string): LayerEntry | null {
  return Object.hasOwn(table, name) ? table[name] : null;
}

/** Whether a class is one of Keras or keras-hub, and not one of the user that has the same name. */
function isOfKeras(registeredName: string | null, module: string): boolean {
  if (registeredName !== null) return PACKAGES.includes(registeredName.split('>')[0]);
  return module === '' || /^(tf_)?keras(_hub|_nlp)?\b|^tensorflow\.(python\.)?keras\b/.test(module);
}
