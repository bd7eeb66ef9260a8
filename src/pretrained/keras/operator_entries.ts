/** Operators that Keras 3 stores as if they were layers: `x + y`, `keras.ops.matmul(x, y)`, `x[:, 0]`. */
import type { OperandTemplate } from '../../layers/operator.js';
import {
  isFlow,
  type ArgumentKind,
  type CallValue,
  type LayerEntry,
  type OperandValue,
} from './layer_entry.js';

/** The operator here; names of its tensors; names of its parameters, with their values where none is given. */
type Operator = [op: string, tensors: string, parameters?: string];

/** Operators by their class in Keras; of several for one of ours, that which saving writes comes first. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  Add: ['add', 'x1 x2'],
  Subtract: ['subtract', 'x1 x2'],
  Multiply: ['multiply', 'x1 x2'],
  Divide: ['divide', 'x1 x2'],
  TrueDivide: ['divide', 'x1 x2'],
  DivideNoNan: ['divideNoNan', 'x1 x2'],
  FloorDivide: ['floorDivide', 'x1 x2'],
  Mod: ['mod', 'x1 x2'],
  Power: ['power', 'x1 x2'],
  Maximum: ['maximum', 'x1 x2'],
  Minimum: ['minimum', 'x1 x2'],
  Matmul: ['matmul', 'x1 x2'],
  Equal: ['equal', 'x1 x2'],
  NotEqual: ['notEqual', 'x1 x2'],
  Greater: ['greater', 'x1 x2'],
  GreaterEqual: ['greaterEqual', 'x1 x2'],
  Less: ['less', 'x1 x2'],
  LessEqual: ['lessEqual', 'x1 x2'],
  LogicalAnd: ['logicalAnd', 'x1 x2'],
  LogicalOr: ['logicalOr', 'x1 x2'],
  LogicalXor: ['logicalXor', 'x1 x2'],
  LogicalNot: ['logicalNot', 'x'],
  Where: ['where', 'condition x1 x2'],
  Negative: ['negative', 'x'],
  Absolute: ['absolute', 'x'],
  Abs: ['absolute', 'x'],
  Sign: ['sign', 'x'],
  Square: ['square', 'x'],
  Sqrt: ['sqrt', 'x'],
  Rsqrt: ['rsqrt', 'x'],
  Reciprocal: ['reciprocal', 'x'],
  Exp: ['exp', 'x'],
  Expm1: ['expm1', 'x'],
  Log: ['log', 'x'],
  Log1p: ['log1p', 'x'],
  Sin: ['sin', 'x'],
  Cos: ['cos', 'x'],
  Tan: ['tan', 'x'],
  Erf: ['erf', 'x'],
  Floor: ['floor', 'x'],
  Ceil: ['ceil', 'x'],
  Round: ['round', 'x'],
  Clip: ['clip', 'x', 'x_min x_max'],
  Relu: ['relu', 'x'],
  Relu6: ['relu6', 'x'],
  LeakyRelu: ['leakyRelu', 'x', 'negative_slope'],
  Elu: ['elu', 'x', 'alpha'],
  Selu: ['selu', 'x'],
  Gelu: ['gelu', 'x', 'approximate'],
  Silu: ['silu', 'x'],
  Sigmoid: ['sigmoid', 'x'],
  HardSigmoid: ['hardSigmoid', 'x'],
  HardSilu: ['hardSilu', 'x'],
  Tanh: ['tanh', 'x'],
  Softplus: ['softplus', 'x'],
  Softsign: ['softsign', 'x'],
  Softmax: ['softmax', 'x', 'axis'],
  LogSoftmax: ['logSoftmax', 'x', 'axis'],
  Sum: ['sum', 'x', 'axis keepdims'],
  Mean: ['mean', 'x', 'axis keepdims'],
  Max: ['max', 'x', 'axis keepdims'],
  Amax: ['max', 'x', 'axis keepdims'],
  Min: ['min', 'x', 'axis keepdims'],
  Amin: ['min', 'x', 'axis keepdims'],
  Prod: ['prod', 'x', 'axis keepdims'],
  Var: ['var', 'x', 'axis keepdims'],
  Std: ['std', 'x', 'axis keepdims'],
  Any: ['any', 'x', 'axis keepdims'],
  All: ['all', 'x', 'axis keepdims'],
  Logsumexp: ['logsumexp', 'x', 'axis keepdims'],
  Argmax: ['argmax', 'x', 'axis'],
  Argmin: ['argmin', 'x', 'axis'],
  Cumsum: ['cumsum', 'x', 'axis'],
  Normalize: ['normalize', 'x', 'axis order epsilon'],
  Transpose: ['transpose', 'x', 'axes'],
  Swapaxes: ['swapAxes', 'x', 'axis1 axis2'],
  Reshape: ['reshape', 'x', 'newshape'],
  ExpandDims: ['expandDims', 'x', 'axis'],
  Squeeze: ['squeeze', 'x', 'axis'],
  Concatenate: ['concatenate', 'xs', 'axis'],
  Stack: ['stack', 'x', 'axis'],
  Split: ['split', 'x', 'indices_or_sections axis'],
  Unstack: ['unstack', 'x', 'axis'],
  GetItem: ['getItem', 'x', 'key'],
  Take: ['take', 'x indices', 'axis'],
  Cast: ['cast', 'x', 'dtype'],
  OneHot: ['oneHot', 'x', 'num_classes axis'],
  Flip: ['flip', 'x', 'axis'],
  Tile: ['tile', 'x', 'repeats'],
  Repeat: ['repeat', 'x', 'repeats axis'],
  Pad: ['pad', 'x constant_values', 'pad_width'],
  Tril: ['tril', 'x', 'k'],
  Triu: ['triu', 'x', 'k'],
  BroadcastTo: ['broadcastTo', 'x', 'shape'],
  ZerosLike: ['zerosLike', 'x'],
  OnesLike: ['onesLike', 'x'],
  StopGradient: ['stopGradient', 'variable'],
  Identity: ['identity', 'x'],
  ConvertToTensor: ['identity', 'x'],
  Einsum: ['einsum', 'x1 x2', 'subscripts'],
  DotProductAttention: ['dotProductAttention', 'query key value bias mask', 'scale is_causal'],
};

/** Values of parameters that Python leaves out and whose default is none of ours. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, OperandTemplate>>>> = {
  Gelu: { approximate: true },
  LeakyRelu: { negative_slope: 0.2 },
  Normalize: { order: 2 },
  Stack: { axis: 0 },
  Concatenate: { axis: -1 },
};

const DTYPES: Readonly<Record<string, string>> = {
  float16: 'float32', bfloat16: 'float32', float32: 'float32', float64: 'float32', int8: 'int32', int16: 'int32',
  int32: 'int32', int64: 'int32', uint8: 'int32', uint16: 'int32', uint32: 'int32', bool: 'bool',
}; // prettier-ignore

/**
 * A dtype as TensorFlow.js has it.
 *
 * @param dtype Python's name.
 * @returns The name, or null when there is none.
 */
export function dtypeOf(dtype: unknown): string | null {
  return typeof dtype === 'string' && Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : null;
}

/**
 * An argument as an operand.
 *
 * @param value An argument of the call, or a parameter.
 * @returns The operand.
 */
export function operandOf(value: CallValue): OperandValue {
  if (isFlow(value)) return value.tensor;
  if (Array.isArray(value)) return value.map(operandOf);
  return value as OperandTemplate;
}

/** What the operator cannot do. */
function problemsOf(className: string, config: Readonly<Record<string, unknown>>): string[] {
  const unused: Record<string, unknown[]> = {
    mode: ['constant', null],
    initial: [null],
    sparse: [false, null],
    attn_logits_soft_cap: [null],
    keepdims: className === 'Argmax' || className === 'Argmin' ? [false, null] : [config.keepdims],
  };
  const wrong = Object.entries(unused)
    .filter(([name, allowed]) => name in config && !allowed.includes(config[name]))
    .map(([name]) => `${name}=${String(config[name])}`);
  if (className === 'Cast' && dtypeOf(config.dtype) === null) {
    wrong.push(`dtype ${String(config.dtype)}`);
  }
  return wrong;
}

/** An equation goes as the numbers of its letters, because TensorFlow.js changes texts when it saves them. */
function inOrder(op: string, operands: OperandValue[]): OperandValue[] {
  if (op === 'pad') return [operands[0], operands[2], operands[1]];
  if (op !== 'einsum') return operands;
  const equation = operands.find((operand) => typeof operand === 'string') ?? '';
  const tensors = operands.filter((operand) => typeof operand === 'object' && operand !== null);
  return [tensors, ...Array.from(equation, (letter) => letter.charCodeAt(0))];
}

function entryOf(className: string, [op, tensors, parameters = '']: Operator): LayerEntry {
  const tensorNames = tensors.split(' ');
  const parameterNames = parameters === '' ? [] : parameters.split(' ');
  const names = [...tensorNames, ...parameterNames];
  return {
    call: Object.fromEntries(names.map((name): [string, ArgumentKind] => [name, 'any'])),
    options: {
      ignored: [
        ...parameterNames,
        'mode',
        'initial',
        'sparse',
        'keepdims',
        'attn_logits_soft_cap',
        'flash_attention',
      ],
    },
    problems: (config) => problemsOf(className, config),
    apply: (_, call) => {
      const valueOf = (name: string): CallValue => {
        const value = call.values[name] ?? call.source.config[name] ?? DEFAULTS[className]?.[name];
        return (name === 'dtype' ? dtypeOf(value) : (value ?? null)) as CallValue;
      };
      const operands = names.map((name) => operandOf(valueOf(name)));
      while (operands[operands.length - 1] === null) operands.pop();
      const ordered = inOrder(op, operands);
      const outputs = call.context.operator(call.source.name, op, ordered);
      return outputs.map((tensor) => ({ tensor, mask: null }));
    },
  };
}

/** Operators by class. */
export const OPERATOR: Readonly<Record<string, LayerEntry>> = Object.fromEntries(
  Object.entries(OPERATORS).map(([name, operator]) => [name, entryOf(name, operator)]),
);
