import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert } from '../util/errors.js';
import { ArgumentLayer } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import type { LayerArgs } from './composite_layer.js';
import { forgetMask } from './handed_on_mask.js';
import { knowingOptions } from './single_input_layer.js';

/** Options of `sharedCall`. */
export interface SharedCallArgs extends LayerArgs {
  /** What each input is, parts of one tensor joined by `+`: names of arguments, and `layer` for an output of the layer. */
  inputs: string[];
  /** Flags of the call. */
  flags?: Record<string, boolean>;
}

/**
 * Another call of a layer that is in the graph already, with other arguments. A layer keeps one way of being called,
 * because TensorFlow.js stores no arguments of calls; this layer stores those of one more.
 *
 *     const y = attention.apply(x, { useCausalMask: true });
 *     const z = sharedCall({ inputs: ['query', 'valueMask', 'layer'] }).apply([x, mask, y]);      // not causal, masked
 *
 * The input called `layer` says which layer is meant: any output of it. The first input is the layer's first argument.
 * The weights are those of the layer.
 */
export class SharedCall extends tfl.layers.Layer {
  /** Name under which saved models find the class. */
  static readonly className = 'SharedCall';

  private readonly roles: string[][];
  private readonly flags: Record<string, boolean>;
  private layer: ArgumentLayer | null = null;

  /** @param args See `SharedCallArgs`. */
  constructor(args: SharedCallArgs) {
    super(args);
    this.roles = args.inputs.map((input) => input.split('+'));
    this.flags = args.flags ?? {};
    assert(
      this.roles.some((roles) => roles.includes('layer')),
      () => `SharedCall: one of inputs must be 'layer', got inputs=${args.inputs.join()}.`,
    );
  }

  override apply(
    inputs: tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[],
    kwargs: CallArguments = {},
  ): ReturnType<tfl.layers.Layer['apply']> {
    const list: unknown[] = [inputs].flat();
    const at = this.roles.findIndex((roles) => roles.includes('layer'));
    const anchor = list[at];
    if (anchor instanceof tfl.SymbolicTensor) {
      const layer: tfl.layers.Layer = anchor.sourceLayer;
      assert(
        layer instanceof ArgumentLayer,
        () =>
          `${this.name}: the input called layer must be an output of a layer of this package, got one of ${layer.getClassName()}.`,
      );
      this.layer = layer;
    }
    return super.apply(inputs, kwargs);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const list = Array.isArray(inputs) ? inputs : [inputs];
      const named: Record<string, tf.Tensor> = {};
      this.roles.forEach((roles, i) => {
        // The first argument of all is the input itself.
        for (const role of i === 0 ? roles.slice(1) : roles) {
          if (role !== 'layer') named[role] = list[i];
        }
      });
      const given = { ...forgetMask(kwargs), ...named, ...this.flags };
      return this.layer!.apply(list[0], given) as tf.Tensor | tf.Tensor[];
    });
  }

  /** As the layer's output, but for the axes that it takes over from its first input. */
  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tfl.Shape[];
    const at = this.roles.findIndex((roles) => roles.includes('layer'));
    const leading = shapes[0].slice(0, -1);
    return [...leading, ...shapes[at].slice(leading.length)];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const inputs = this.roles.map((roles) => roles.join('+'));
    return { ...super.getConfig(), inputs, flags: { ...this.flags } };
  }
}
tf.serialization.registerClass(SharedCall);

/**
 * Makes a `SharedCall` layer.
 *
 * @param args See `SharedCallArgs`.
 * @returns The layer.
 */
export function sharedCall(args: SharedCallArgs): SharedCall {
  return knowingOptions(new SharedCall(args), args);
}
