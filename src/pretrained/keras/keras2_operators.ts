/** Operations of TensorFlow that Keras 2 stores as layers: `TFOpLambda`, `SlicingOpLambda`, `TensorFlowOpLayer`. */
import type { OperandTemplate } from '../../layers/operator.js';
import type { GraphLayer } from './graph.js';
import type { ArgumentKind, CallValue, LayerEntry } from './layer_entry.js';
import { dtypeOf, operandOf } from './operator_entries.js';

/** The operator here, and the names of its operands in TensorFlow, in our order. */
const FUNCTIONS: Readonly<Record<string, [op: string, names: string]>> = {
  '__operators__.add': ['add', 'x y'],
  'math.add': ['add', 'x y'],
  'math.subtract': ['subtract', 'x y'],
  'math.multiply': ['multiply', 'x y'],
  'math.divide': ['divide', 'x y'],
  'math.truediv': ['divide', 'x y'],
  'math.floordiv': ['floorDivide', 'x y'],
  'math.divide_no_nan': ['divideNoNan', 'x y'],
  'math.pow': ['power', 'x y'],
  'math.maximum': ['maximum', 'x y'],
  'math.minimum': ['minimum', 'x y'],
  'math.equal': ['equal', 'x y'],
  'math.not_equal': ['notEqual', 'x y'],
  'math.greater': ['greater', 'x y'],
  'math.greater_equal': ['greaterEqual', 'x y'],
  'math.less': ['less', 'x y'],
  'math.less_equal': ['lessEqual', 'x y'],
  'math.logical_and': ['logicalAnd', 'x y'],
  'math.logical_or': ['logicalOr', 'x y'],
  'math.logical_not': ['logicalNot', 'x'],
  'math.negative': ['negative', 'x'],
  'math.abs': ['absolute', 'x'],
  'math.square': ['square', 'x'],
  'math.sqrt': ['sqrt', 'x'],
  'math.rsqrt': ['rsqrt', 'x'],
  'math.exp': ['exp', 'x'],
  'math.log': ['log', 'x'],
  'math.sin': ['sin', 'x'],
  'math.cos': ['cos', 'x'],
  'math.erf': ['erf', 'x'],
  'math.tanh': ['tanh', 'x'],
  'math.sigmoid': ['sigmoid', 'x'],
  'math.softplus': ['softplus', 'features'],
  'math.reduce_sum': ['sum', 'input_tensor axis keepdims'],
  'math.reduce_mean': ['mean', 'input_tensor axis keepdims'],
  'math.reduce_max': ['max', 'input_tensor axis keepdims'],
  'math.reduce_min': ['min', 'input_tensor axis keepdims'],
  'math.reduce_any': ['any', 'input_tensor axis keepdims'],
  'math.reduce_all': ['all', 'input_tensor axis keepdims'],
  'math.argmax': ['argmax', 'input axis'],
  'math.l2_normalize': ['normalize', 'x axis'],
  'clip_by_value': ['clip', 't clip_value_min clip_value_max'],
  'nn.relu': ['relu', 'features'],
  'nn.gelu': ['gelu', 'features approximate'],
  'nn.silu': ['silu', 'features'],
  'nn.softmax': ['softmax', 'logits axis'],
  'linalg.matmul': ['matmul', 'a b'],
  'concat': ['concatenate', 'values axis'],
  'stack': ['stack', 'values axis'],
  'split': ['split', 'value num_or_size_splits axis'],
  'unstack': ['unstack', 'value axis'],
  'expand_dims': ['expandDims', 'input axis'],
  'squeeze': ['squeeze', 'input axis'],
  'reshape': ['reshape', 'tensor shape'],
  'transpose': ['transpose', 'a perm'],
  'tile': ['tile', 'input multiples'],
  'reverse': ['flip', 'tensor axis'],
  'gather': ['take', 'params indices axis'],
  'one_hot': ['oneHot', 'indices depth axis'],
  'cast': ['cast', 'x dtype'],
  'where': ['where', 'condition x y'],
  'zeros_like': ['zerosLike', 'input'],
  'ones_like': ['onesLike', 'input'],
  'identity': ['identity', 'input'],
  'stop_gradient': ['stopGradient', 'input'],
  'broadcast_to': ['broadcastTo', 'input shape'],
  '__operators__.getitem': ['getItem', 'tensor slice_spec'],
}; // prettier-ignore

/** Axes that TensorFlow means when none is given and that differ from ours. */
const DEFAULTS: Readonly<Record<string, OperandTemplate>> = { gather: 0, stack: 0, argmax: 0 };

/** Arguments that change nothing, or whose default alone is supported. */
const SPARE: Readonly<Record<string, ArgumentKind>> = {
  name: 'any',
  transpose_a: 'flag',
  transpose_b: 'flag',
  adjoint_a: 'unused',
  adjoint_b: 'unused',
  batch_dims: 'unused',
  conjugate: 'unused',
};

/** The function of such a layer: its name, without the prefixes of older versions. */
function functionOf({ className, config }: GraphLayer): string | null {
  if (className === 'SlicingOpLambda') return '__operators__.getitem';
  if (className !== 'TFOpLambda' || typeof config.function !== 'string') return null;
  return config.function.replace(/^compat\.v[12]\./, '');
}

/**
 * The entry of a layer that is an operation of TensorFlow.
 *
 * @param layer A layer of Keras 2.
 * @returns The entry, or null when it is none, or one that is not known.
 */
export function keras2Operator(layer: GraphLayer): LayerEntry | null {
  const name = functionOf(layer);
  if (name === null || !Object.hasOwn(FUNCTIONS, name)) return null;
  const [op, spelled] = FUNCTIONS[name];
  const names = spelled.split(' ');
  return {
    call: {
      ...Object.fromEntries(names.map((one): [string, ArgumentKind] => [one, 'any'])),
      ...SPARE,
    },
    options: { ignored: ['function'] },
    apply: (_, call) => {
      const { context, source } = call;
      const valueOf = (one: string): CallValue => {
        const value = call.values[one] as CallValue | undefined;
        if (one === 'dtype') return dtypeOf(value);
        return value ?? (one === 'axis' ? (DEFAULTS[name] ?? null) : null);
      };
      const operands = names.map((one) => operandOf(valueOf(one)));
      while (operands[operands.length - 1] === null) operands.pop();
      if (op === 'matmul') {
        ['transpose_a', 'transpose_b'].forEach((flag, i) => {
          if (!call.values[flag]) return;
          [operands[i]] = context.operator(`${source.name}_${flag}`, 'swapAxes', [
            operands[i],
            -2,
            -1,
          ]);
        });
      }
      const outputs = context.operator(source.name, op, operands);
      return outputs.map((tensor) => ({ tensor, mask: null }));
    },
  };
}
