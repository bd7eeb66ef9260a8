import type * as tfl from '@tensorflow/tfjs-layers';
import { RandomStream } from '../util/random.js';
import { allLayers } from './all_layers.js';

/**
 * The random streams of a model: where its layers with dropout stand. They are part of a training checkpoint.
 *
 * @param model A model; layers inside layers and nested models are searched too.
 * @returns Streams by the path of their layers, for example `block_0/self_attention`, in the order of the model.
 */
export function collectRandomStreams(model: tfl.LayersModel): Map<string, RandomStream> {
  const streams = new Map<string, RandomStream>();
  for (const [path, layer] of allLayers(model)) {
    const { randomStream } = layer as { randomStream?: unknown };
    if (randomStream instanceof RandomStream) streams.set(path, randomStream);
  }
  return streams;
}
