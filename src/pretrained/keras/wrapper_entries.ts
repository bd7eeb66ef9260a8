/** Layers of Keras that hold a layer: `TimeDistributed`, `Bidirectional`. */
import * as tfl from '@tensorflow/tfjs-layers';
import { MaskedSequence } from '../../layers/index.js';
import { flows } from './attention_entries.js';
import type { GraphLayer } from './graph.js';
import { isObject, objectAt, textAt } from './json.js';
import type { KerasVersion } from './keras_version.js';
import { flowAt, required, type LayerCall, type LayerEntry } from './layer_entry.js';
import { convertOptions } from './options.js';
import { zeroed } from './tfjs_entries.js';

/** The layer inside, as if it stood in the graph. */
function innerLayer(layer: GraphLayer, key: string): GraphLayer | null {
  const inner = layer.config[key];
  if (!isObject(inner)) return null;
  const full = textAt(inner, 'class_name') ?? '';
  const registered = textAt(inner, 'registered_name');
  const config = objectAt(inner, 'config');
  return {
    ...layer,
    name: textAt(config, 'name') ?? `${layer.name}_layer`,
    className: full.slice(full.lastIndexOf('>') + 1),
    registeredName: registered?.includes('>') ? registered : full.includes('>') ? full : null,
    module: textAt(inner, 'module') ?? '',
    config,
    path: `${layer.path}.config.${key}`,
  };
}

/**
 * The entry of a layer that wraps another.
 *
 * @param layer The layer.
 * @param version Version of Keras.
 * @param entryOf Finds the entry of the layer inside.
 * @returns The entry, or null when the layer wraps none.
 */
export function wrapperEntry(
  layer: GraphLayer,
  version: KerasVersion,
  entryOf: (inner: GraphLayer) => LayerEntry | null,
): LayerEntry | null {
  if (layer.className !== 'TimeDistributed' && layer.className !== 'Bidirectional') return null;
  const inner = innerLayer(layer, 'layer');
  const entry = inner && entryOf(inner);
  if (!inner || !entry?.make) return null;
  const make = entry.make.bind(entry);
  const converted = convertOptions(inner, entry, version, new Map());
  const problems = converted.problems.map((problem) => `${inner.className} inside: ${problem}`);
  if (converted.activation) problems.push(`${inner.className} inside: its activation`);
  if (layer.className === 'TimeDistributed') {
    return {
      call: { inputs: 'tensor', training: 'unused', mask: 'unused' },
      options: { ignored: ['layer'] },
      problems: () => problems,
      make: ({ name, trainable }, call) =>
        tfl.layers.timeDistributed({
          name: name as string,
          trainable: trainable as boolean,
          layer: make(converted.options, { ...call, source: inner, options: converted.options }),
        }),
      mask: 'kept',
      weightPaths: (names) => names.map((_, i) => `layer/vars/${i}`),
    };
  }
  const backward = layer.config.backward_layer;
  if (isObject(backward) && textAt(objectAt(backward, 'config'), 'go_backwards') === 'false') {
    problems.push('backward_layer');
  }
  return bidirectional(converted.options, (options, call) => make(options, call), problems, inner);
}

/** A recurrent layer forwards and backwards. */
function bidirectional(
  inner: Readonly<Record<string, unknown>>,
  make: NonNullable<LayerEntry['make']>,
  problems: string[],
  source: GraphLayer,
): LayerEntry {
  const maskOf = (call: LayerCall): tfl.SymbolicTensor | null => {
    const explicit = flowAt(call, 'mask')?.tensor;
    const { mask } = required(call, 'inputs');
    return explicit ?? (mask && call.context.maskTensor(mask));
  };
  return {
    call: { inputs: 'tensor', initial_state: 'unused', mask: 'optional', training: 'unused' },
    options: { taken: ['merge_mode'], ignored: ['layer', 'backward_layer'] },
    problems: () => problems,
    make: ({ name, trainable, mergeMode }, call) => {
      const values = { sequences: { tensor: required(call, 'inputs').tensor, mask: null } };
      const layer = make(inner, { ...call, source, options: inner, values }) as tfl.RNN;
      const masked = maskOf(call) !== null;
      const both = tfl.layers.bidirectional({
        name: masked ? `${String(name)}_layer` : (name as string),
        trainable: trainable as boolean,
        layer,
        mergeMode: (mergeMode ?? null) as 'concat',
      });
      return masked ? new MaskedSequence({ name: name as string, layer: both }) : both;
    },
    apply: (layer, call) => {
      const paddingMask = maskOf(call);
      const { tensor, mask } = required(call, 'inputs');
      const outputs = layer!.apply(tensor, paddingMask ? { paddingMask } : {});
      const sequence = inner.returnSequences === true;
      const [first, ...others] = flows(outputs, sequence ? mask : null);
      // Keras has both directions give zeros for masked steps, so that they can be merged.
      const zero = paddingMask !== null && sequence && call.source.config.merge_mode !== null;
      return [zero ? zeroed(call, first, paddingMask) : first, ...others];
    },
    weightPaths: (names) =>
      names.map((_, i) => {
        const half = names.length / 2;
        return i < half ? `forward_layer/cell/vars/${i}` : `backward_layer/cell/vars/${i - half}`;
      }),
  };
}
