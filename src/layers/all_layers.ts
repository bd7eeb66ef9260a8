import type * as tfl from '@tensorflow/tfjs-layers';

/** What may be inside a layer: sub-layers of ours, the layers of a nested model, the layer of a wrapper. */
interface MaybeNested {
  subLayers?: tfl.layers.Layer[];
  layers?: tfl.layers.Layer[];
  layer?: tfl.layers.Layer;
}

/**
 * All layers of a model, those inside layers and nested models included.
 *
 * @param model A model; what only looks like one, without `layers`, has none.
 * @returns Layers by their path, for example `block_0/self_attention`, a layer before what is inside it.
 */
export function allLayers(model: tfl.LayersModel): Map<string, tfl.layers.Layer> {
  const found = new Map<string, tfl.layers.Layer>();
  const visit = (layer: tfl.layers.Layer, path: string): void => {
    found.set(path, layer);
    const { subLayers = [], layers = [], layer: wrapped } = layer as MaybeNested;
    const inner = [...subLayers, ...layers, ...(wrapped ? [wrapped] : [])];
    for (const child of inner) visit(child, `${path}/${child.name}`);
  };
  for (const layer of (model.layers as tfl.layers.Layer[] | undefined) ?? []) {
    visit(layer, layer.name);
  }
  return found;
}
