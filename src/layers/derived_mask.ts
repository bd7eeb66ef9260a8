/**
 * Masks that TensorFlow.js keeps beside tensors (`tf.layers.embedding({maskZero: true})`, `tf.layers.masking`), as the
 * tensors that our layers take.
 *
 * TensorFlow.js hands such a mask on in a way that cannot be relied on: of the masks of several inputs only the first
 * arrives, and it arrives at every later layer too, whether it concerns it or not. So when a layer of ours is called in
 * a graph, the history of each input is walked back to where its mask is made, and the mask is fed as a further input,
 * computed from the same ids. The graph then says what is masked; saving and loading keep it.
 */
import type * as tfl from '@tensorflow/tfjs-layers';
import { andMask, AndMask } from './and_mask.js';
import { featureMask, FeatureMask } from './feature_mask.js';
import { paddingMask, PaddingMask } from './padding_mask.js';

/** What tells that a layer makes a mask, hands one on, or drops it. */
interface MaybeMasking {
  maskZero?: boolean;
  maskValue?: number;
  returnSequences?: boolean;
  axis?: number;
  handsOnMask?: boolean;
  supportsMasking: boolean;
}

/** Where a mask is made: a step of `from` is masked where it is `value`. */
interface MaskSource {
  from: tfl.SymbolicTensor;
  kind: 'ids' | 'features';
  value: number;
  /** Name of the layer that makes it. */
  layer: string;
}

/** Layers of TensorFlow.js that combine the masks of their inputs. */
const MERGES = ['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate'];

/** A mask derived from the history of a tensor. */
export interface DerivedMask {
  /** [B, 1, 1, S]; null when there is a mask that cannot be written as a tensor. */
  mask: tfl.SymbolicTensor | null;
  /** Name of the layer that makes it. */
  layer: string;
}

/**
 * The mask that a symbolic tensor carries by the rules of Keras.
 *
 * @param tensor A symbolic tensor, [B, S, …].
 * @returns The mask, or null when it carries none.
 */
export function derivedMask(tensor: tfl.SymbolicTensor): DerivedMask | null {
  const sources = sourcesOf(tensor, new Map());
  if (sources === null || sources.length === 0) return null;
  const { layer } = sources[0];
  if (sources.some(({ from, kind }) => from.shape.length !== (kind === 'ids' ? 2 : 3))) {
    return { mask: null, layer };
  }
  const masks = [...new Set(sources.map(maskFrom))];
  return { mask: masks.length === 1 ? masks[0] : conjunction(masks), layer };
}

/** What is known of tensors met before: a chain of residual sums leads to each of them by very many ways. */
type Known = Map<tfl.SymbolicTensor, MaskSource[]>;

/** All places where the mask of a tensor is made; an empty list for none. */
function sourcesOf(tensor: tfl.SymbolicTensor, known: Known): MaskSource[] {
  let sources = known.get(tensor);
  if (sources === undefined) {
    sources = findSources(tensor, known);
    known.set(tensor, sources);
  }
  return sources;
}

function findSources(tensor: tfl.SymbolicTensor, known: Known): MaskSource[] {
  const layer = tensor.sourceLayer as tfl.layers.Layer & MaybeMasking;
  const inputs = tensor.inputs as tfl.SymbolicTensor[] | undefined;
  if (!inputs || inputs.length === 0) return [];
  const { name } = layer;
  if (layer.maskZero) {
    // A reversible embedding that projects back makes logits, which have no mask.
    if (tensor.shape.length !== inputs[0].shape.length + 1) return [];
    return [{ from: inputs[0], kind: 'ids', value: 0, layer: name }];
  }
  if (layer.getClassName() === 'Masking') {
    return [{ from: inputs[0], kind: 'features', value: layer.maskValue ?? 0, layer: name }];
  }
  const inner = layer as unknown as Partial<tfl.LayersModel>;
  if (Array.isArray(inner.layers) && Array.isArray(inner.outputs)) {
    return sourcesInside(inner as tfl.LayersModel, tensor, inputs, known);
  }
  if (layer.handsOnMask !== undefined) {
    const first = (tensor.outputTensorIndex ?? 0) === 0;
    return layer.handsOnMask && first ? sourcesOf(inputs[0], known) : [];
  }
  if (!layer.supportsMasking || layer.returnSequences === false) return [];
  if (!MERGES.includes(layer.getClassName())) return sourcesOf(inputs[0], known);
  const joinsFeatures = [-1, tensor.shape.length - 1].includes(layer.axis ?? -1);
  const found = inputs.flatMap((input) => sourcesOf(input, known));
  // Sequences put one behind another: their mask is another sequence's, which no layer here makes.
  if (!joinsFeatures && found.length > 0) return [{ ...found[0], from: tensor, kind: 'ids' }];
  return found.filter(
    (source, i) =>
      found.findIndex(({ from, value }) => from === source.from && value === source.value) === i,
  );
}

/** Sources of the output of a nested model, in terms of what it is called with. */
function sourcesInside(
  model: tfl.LayersModel,
  tensor: tfl.SymbolicTensor,
  inputs: tfl.SymbolicTensor[],
  known: Known,
): MaskSource[] {
  const output = model.outputs[tensor.outputTensorIndex ?? 0];
  return sourcesOf(output, known).map((source) => {
    const at = model.inputs.indexOf(source.from);
    // Ids that the nested model computes itself cannot be reached: `from` then is no place of this graph.
    return at < 0
      ? { ...source, from: tensor, kind: 'ids' as const }
      : { ...source, from: inputs[at] };
  });
}

/** The mask tensor of a source; one that the graph has already is used again. */
function maskFrom({ from, kind, value }: MaskSource): tfl.SymbolicTensor {
  for (const { outboundLayer: next, inputTensors, outputTensors } of from.sourceLayer
    .outboundNodes) {
    const option = next.getConfig()[kind === 'ids' ? 'padId' : 'maskValue'];
    const type = kind === 'ids' ? PaddingMask : FeatureMask;
    if (next instanceof type && option === value && inputTensors[0] === from) {
      return outputTensors[0];
    }
  }
  // Named after what it is made from, which is one place of the graph.
  const places = [from.nodeIndex, from.outputTensorIndex ?? 0];
  const suffix = places.some((i) => i > 0) ? `_${places.join('_')}` : '';
  const name = `${from.sourceLayer.name}_mask${suffix}`;
  const maker =
    kind === 'ids' ? paddingMask({ name, padId: value }) : featureMask({ name, maskValue: value });
  return maker.apply(from) as tfl.SymbolicTensor;
}

/** The AND of several masks; one that the graph has already is used again. */
function conjunction(masks: tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  for (const { outboundLayer: next, inputTensors, outputTensors } of masks[0].sourceLayer
    .outboundNodes) {
    const same =
      inputTensors.length === masks.length && masks.every((mask, i) => inputTensors[i] === mask);
    if (next instanceof AndMask && same) return outputTensors[0];
  }
  const name = masks.map(({ sourceLayer }) => sourceLayer.name).join('_and_');
  return andMask({ name }).apply(masks) as tfl.SymbolicTensor;
}
