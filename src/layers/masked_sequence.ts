import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { toBool } from '../masks/to_bool.js';
import { assert, describe } from '../util/errors.js';
import {
  ArgumentLayer,
  CALL_OPTIONS,
  type ArgumentLayerArgs,
  type Signature,
} from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import { knowingOptions } from './single_input_layer.js';

/** Options of `maskedSequence`. */
export interface MaskedSequenceArgs extends ArgumentLayerArgs {
  /** A recurrent layer of TensorFlow.js (`lstm`, `gru`, `simpleRNN`, `bidirectional`), or its class and configuration. */
  layer: tfl.layers.Layer | tf.serialization.ConfigDict;
}

/**
 * A recurrent layer that is given its mask as a tensor: a step that is masked keeps the state and the output of the step
 * before. TensorFlow.js' own layers get a mask only from a layer in front, in a way that cannot be relied on in graphs.
 *
 * Inputs: x [B, T, D] and, second or by the name `paddingMask`, a mask [B, T]. Outputs and weights are those of the layer.
 */
export class MaskedSequence extends ArgumentLayer {
  /** Name under which saved models find the class. */
  static readonly className = 'MaskedSequence';

  /** The recurrent layer. */
  readonly layer: tfl.layers.Layer;

  /** @param args See `MaskedSequenceArgs`. */
  constructor(args: MaskedSequenceArgs) {
    super(args);
    const { layer } = args;
    assert(
      layer instanceof tfl.layers.Layer || (typeof layer === 'object' && 'className' in layer),
      () => `MaskedSequence: layer must be a layer or {className, config}, got ${describe(layer)}.`,
    );
    this.layer = this.track(layer instanceof tfl.layers.Layer ? layer : fromConfig(layer));
    this.trainable = args.trainable ?? true;
  }

  protected override signature(): Signature {
    const carriedMasks = [{ of: ['inputs'], as: 'paddingMask', unless: [] }];
    return { tensors: ['inputs', 'paddingMask'], positional: 2, flags: [], carriedMasks };
  }

  override get handsOnMask(): boolean {
    return Boolean((this.layer as { returnSequences?: boolean }).returnSequences);
  }

  protected override buildFrom({ inputs }: Record<string, tfl.Shape>): void {
    this.buildSubLayer(this.layer, inputs);
  }

  protected override outputShapeFrom({
    inputs,
  }: Record<string, tfl.Shape>): tfl.Shape | tfl.Shape[] {
    return this.layer.computeOutputShape(inputs);
  }

  protected override compute(
    { inputs, paddingMask }: Record<string, tf.Tensor>,
    { training }: CallArguments,
  ): tf.Tensor | tf.Tensor[] {
    const [B, T] = inputs.shape;
    const mask = (paddingMask as tf.Tensor | undefined)
      ? tf.reshape(toBool(paddingMask, this.name, 'paddingMask'), [B, T])
      : undefined;
    return this.layer.call(inputs, { training, ...(mask ? { mask } : {}) });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const layer = { className: this.layer.getClassName(), config: this.layer.getConfig() };
    return { ...super.getConfig(), layer };
  }
}
tf.serialization.registerClass(MaskedSequence);

function fromConfig({ className, config }: tf.serialization.ConfigDict): tfl.layers.Layer {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className as string];
  assert(
    (entry as unknown) !== undefined,
    () => `MaskedSequence: class '${className as string}' is not registered with tf.serialization.`,
  );
  const [type, make] = entry;
  return make(type, config as tf.serialization.ConfigDict) as tfl.layers.Layer;
}

/**
 * Makes a `MaskedSequence` layer.
 *
 * @param args See `MaskedSequenceArgs`.
 * @returns The layer.
 */
export function maskedSequence(args: MaskedSequenceArgs): MaskedSequence {
  return knowingOptions(new MaskedSequence(args), args, CALL_OPTIONS);
}
