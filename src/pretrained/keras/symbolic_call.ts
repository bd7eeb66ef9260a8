/** Calls of layers in a graph of TensorFlow.js, and of Keras. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { TensorRef, type Argument, type GraphLayer, type GraphNode } from './graph.js';

/**
 * What a symbolic tensor was computed from.
 *
 * @param tensor A symbolic tensor.
 * @returns The inputs of the call that made it; none for an input of the model.
 */
export function inputsOf(tensor: tfl.SymbolicTensor): tfl.SymbolicTensor[] {
  const { sourceLayer, nodeIndex } = tensor;
  if (sourceLayer.getClassName() === 'InputLayer') return [];
  return sourceLayer.inboundNodes[nodeIndex].inputTensors;
}

/**
 * All outputs of the call that made a tensor.
 *
 * @param tensor A symbolic tensor.
 * @returns The outputs, the tensor among them.
 */
export function outputsOf({ sourceLayer, nodeIndex }: tfl.SymbolicTensor): tfl.SymbolicTensor[] {
  return sourceLayer.inboundNodes[nodeIndex].outputTensors;
}

/**
 * Whether any layer that a tensor depends on makes a mask of TensorFlow.js' kind.
 *
 * @param tensor A symbolic tensor.
 * @returns Whether there is one.
 */
export function dependsOnMask(tensor: tfl.SymbolicTensor): boolean {
  const seen = new Set<tfl.SymbolicTensor>([tensor]);
  for (const one of seen) {
    const layer = one.sourceLayer;
    if (layer.getClassName() === 'Masking' || layer.getConfig().maskZero === true) return true;
    for (const input of inputsOf(one)) seen.add(input);
  }
  return false;
}

/**
 * Whether a layer is called once, with one tensor and nothing else, as in a sequential model.
 *
 * @param layer A layer.
 * @returns Whether it is.
 */
export function isChained({ nodes }: GraphLayer): boolean {
  return (
    nodes.length === 1 &&
    nodes[0].args.length === 1 &&
    nodes[0].args[0] instanceof TensorRef &&
    Object.keys(nodes[0].kwargs).length === 0
  );
}

/**
 * Puts arguments where Python wants them.
 *
 * @param values By place: a number, a name, `[1]` for an entry of the list that is the first argument, `mask[1]` for one of
 * a list by name.
 * @param kwargs Arguments by name.
 * @returns The call.
 */
export function callOf(
  values: ReadonlyMap<number | string, Argument>,
  kwargs: Record<string, Argument>,
): GraphNode {
  const args: Argument[] = [];
  for (const [place, value] of values) {
    const [, name, entry] = /^(\w*)\[(\d)\]$/.exec(String(place)) ?? [];
    if (typeof place === 'number') args[place] = value;
    else if (entry === undefined) kwargs[place] = value;
    else {
      const list = ((name === '' ? args[0] : kwargs[name]) ?? []) as Argument[];
      list[Number(entry)] = value;
      if (name === '') args[0] = list;
      else kwargs[name] = name === 'mask' ? [list[0] ?? null, list[1] ?? null] : list;
    }
  }
  return { args, kwargs };
}
