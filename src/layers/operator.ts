import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { assert, describe } from '../util/errors.js';
import type { CallArguments } from './call_arguments.js';
import type { LayerArgs } from './composite_layer.js';
import { ELEMENTWISE } from './elementwise_operators.js';
import { forgetMask } from './handed_on_mask.js';
import type { Operand, OperatorFunction } from './operand.js';
import { SHAPES } from './shape_operators.js';
import { knowingOptions } from './single_input_layer.js';

/** An operand in a configuration: a constant, `{input: i}` for the i-th tensor, or a list of such. */
export type OperandTemplate =
  | number
  | boolean
  | string
  | null
  | OperandTemplate[]
  | { input: number }
  | { slice: (number | null)[] }
  | { ellipsis: boolean };

/** Options of `operator`. */
export interface OperatorArgs extends LayerArgs {
  /** Name of the operator, one of {@link operatorNames}. */
  op: string;
  /** Its operands in order, those left out at the end being their defaults. Default: the inputs. */
  operands?: OperandTemplate[];
}

/** Names of the operators that there are. */
export const operatorNames: readonly string[] = Object.keys({ ...ELEMENTWISE, ...SHAPES });

/** Sizes that stand for unknown ones where the shape of a result is found: two sets, to see what depends on them. */
const TRIALS = [
  { batch: 2, size: 61 },
  { batch: 3, size: 67 },
];

/**
 * One operation of tensors as a layer: what stands in a Python model as `x + y`, `x[:, 0]`, `keras.ops.matmul(x, y)`.
 *
 *     operator({ op: 'add' }).apply([x, y])                                                    x + y
 *     operator({ op: 'notEqual', operands: [{ input: 0 }, 0] }).apply(ids)                     ids ≠ 0
 *     operator({ op: 'getItem', operands: [{ input: 0 }, [{ slice: [null, null, null] }, 0]] })   x[:, 0]
 *
 * Operands are in the order of Keras' functions, their parameters behind them: `mean(x, axis, keepdims)`. The mask that
 * TensorFlow.js keeps beside a tensor ends here, as it does in Python. No weights.
 */
export class Operator extends tfl.layers.Layer {
  /** Name under which saved models find the class. */
  static readonly className = 'KerasOperator';

  /** Name of the operator. */
  readonly op: string;
  /** Its operands, or null: the inputs in their order. */
  readonly operands: readonly OperandTemplate[] | null;
  private readonly compute: OperatorFunction;

  /** @param args See `OperatorArgs`. */
  constructor(args: OperatorArgs) {
    super(args);
    assert(
      typeof args.op === 'string' && operatorNames.includes(args.op),
      () => `Operator: op must be one of ${operatorNames.join(', ')}, got op=${describe(args.op)}.`,
    );
    this.op = args.op;
    this.compute = (Object.hasOwn(ELEMENTWISE, args.op) ? ELEMENTWISE : SHAPES)[args.op];
    this.operands = args.operands ?? null;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments): tf.Tensor | tf.Tensor[] {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      forgetMask(kwargs);
      return this.resultOf(Array.isArray(inputs) ? inputs : [inputs]);
    });
  }

  private resultOf(inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const operands = this.operands ?? inputs.map((_, i) => ({ input: i }));
    return this.compute(...operands.map((operand) => this.filledIn(operand, inputs)));
  }

  /** A template with the tensors in their places. */
  private filledIn(template: OperandTemplate, inputs: tf.Tensor[]): Operand {
    if (Array.isArray(template)) return template.map((inner) => this.filledIn(inner, inputs));
    if (typeof template !== 'object' || template === null || !('input' in template)) {
      return template;
    }
    assert(
      inputs[template.input] instanceof tf.Tensor,
      () =>
        `${this.name}: needs ${template.input + 1} inputs, got ${inputs.length}. Give a list of tensors to apply.`,
    );
    return inputs[template.input];
  }

  /** Found by trying: what depends on a size that is not known is not known either. */
  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tfl.Shape[];
    const tried = TRIALS.map(({ batch, size }) =>
      tf.tidy(() => {
        const inputs = shapes.map((shape) =>
          tf.zeros(shape.map((axis, i) => axis ?? (i === 0 ? batch : size))),
        );
        const results = this.resultOf(inputs);
        return [results].flat().map((result) => result.shape);
      }),
    );
    const found = tried[0].map((shape, i) =>
      shape.map((axis, j) => (axis === tried[1][i][j] ? axis : null)),
    );
    return found.length === 1 ? found[0] : found;
  }

  override computeMask(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const none = null as unknown as tf.Tensor; // how TensorFlow.js says "none"; its type leaves that out
    if (this.op !== 'split' && this.op !== 'unstack') return none;
    let count = 0;
    tf.tidy(() => {
      count = [this.resultOf([inputs].flat())].flat().length;
    });
    return Array<null>(count).fill(null) as unknown as tf.Tensor;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      op: this.op,
      operands: this.operands as tf.serialization.ConfigDictArray | null,
    };
  }
}
tf.serialization.registerClass(Operator);

/**
 * Makes an `Operator` layer.
 *
 * @param args See `OperatorArgs`.
 * @returns The layer.
 */
export function operator(args: OperatorArgs): Operator {
  return knowingOptions(new Operator(args), args);
}
