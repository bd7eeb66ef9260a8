/**
 * A computation written down as a TensorFlow graph. TensorFlow runs a whole graph at the price of one operation, 15 to
 * 30 µs, and what is inside it costs a microsecond each, in buffers that it reuses: so a kernel of this folder is one
 * graph, and tfjs-node is called once instead of ten to twenty times.
 *
 * Only operations that TensorFlow has had since version 1 or 2.0 are used, so every libtensorflow that tfjs-node
 * works with runs these graphs; its own optimizer joins products with biases and activations where it can.
 */
import { bytes, integer, joined, message, text, type Field } from './protobuf.js';

/** A tensor in a graph: `name:output`. */
export type Value = string;

/** What an operation can be told besides its inputs. */
export type Attribute = { type: Type } | { integer: number } | { flag: boolean };

/** Types of elements. */
export type Type = 'float32' | 'int32' | 'bool' | 'uint32' | 'uint64';

/** Their numbers in TensorFlow (`DataType` in types.proto). */
const TYPES: Record<Type, number> = { float32: 1, int32: 3, bool: 10, uint32: 22, uint64: 23 };

/** What the graphs are written for: TensorFlow 2.0 (`TF_GRAPH_DEF_VERSION`). */
const PRODUCER = 119;

const T: Record<string, Attribute> = { T: { type: 'float32' } };
const AXES: Attribute = { type: 'int32' };

/** Writes a graph: each method adds an operation and returns its result. Numbers stand for constants. */
export class Graph {
  private readonly nodes: Field[] = [];
  private readonly constants = new Map<string, Value>();

  /**
   * A tensor that is given when the graph runs.
   *
   * @param name Its name; letters and digits.
   * @param type Type of its elements, float32 by default.
   * @returns The tensor.
   */
  input(name: string, type: Type = 'float32'): Value {
    return this.node(name, 'Placeholder', [], { dtype: { type } });
  }

  /**
   * A constant; equal ones are one.
   *
   * @param value A number, or a list of them: a vector.
   * @param type Type of its elements, float32 by default.
   * @returns The tensor.
   */
  constant(value: number | readonly number[], type: Type = 'float32'): Value {
    const key = `${type} ${JSON.stringify(value)}`;
    let known = this.constants.get(key);
    if (known === undefined) {
      const name = `c${this.constants.size}`;
      this.nodes.push(
        nodeDef(name, 'Const', [], [attr('dtype', { type }), constantAttr(value, type)]),
      );
      known = `${name}:0`;
      this.constants.set(key, known);
    }
    return known;
  }

  /**
   * Any operation.
   *
   * @param op Its name in TensorFlow.
   * @param inputs Its inputs.
   * @param attributes Its attributes; `T: float32` where not said otherwise.
   * @returns Its first output; the others are `nth(value, i)`.
   */
  op(op: string, inputs: readonly Value[], attributes: Record<string, Attribute> = T): Value {
    return this.node(`n${this.nodes.length}`, op, inputs, attributes);
  }

  /** a + b, with broadcasting. */
  add(a: Value | number, b: Value | number): Value {
    return this.op('AddV2', [this.value(a), this.value(b)]);
  }

  /** a − b, with broadcasting. */
  sub(a: Value | number, b: Value | number): Value {
    return this.op('Sub', [this.value(a), this.value(b)]);
  }

  /** a · b, element by element, with broadcasting. */
  mul(a: Value | number, b: Value | number): Value {
    return this.op('Mul', [this.value(a), this.value(b)]);
  }

  /** a / b, with broadcasting. */
  div(a: Value | number, b: Value | number): Value {
    return this.op('RealDiv', [this.value(a), this.value(b)]);
  }

  /** One of TensorFlow's functions of each element: `Exp`, `Rsqrt`, `Tanh`, … */
  unary(op: string, x: Value): Value {
    return this.op(op, [x]);
  }

  /**
   * Product of matrices.
   *
   * @param a [m, k], or [k, m] when transposed.
   * @param b [k, n], or [n, k] when transposed.
   * @param transposeA Whether a is transposed.
   * @param transposeB Whether b is transposed.
   * @returns [m, n]
   */
  matMul(a: Value, b: Value, transposeA = false, transposeB = false): Value {
    const flags = { transpose_a: { flag: transposeA }, transpose_b: { flag: transposeB } };
    return this.op('MatMul', [a, b], { ...T, ...flags });
  }

  /**
   * A product whose first matrix may be known to have one row, as in decoding. oneDNN, which TensorFlow takes for products of
   * matrices, reads W at two thirds of the speed that Eigen does; `BatchMatMulV3` is left to Eigen.
   *
   * @param x [m, k]
   * @param kernel W, [k, n], or [n, k] when transposed.
   * @param rows m
   * @param transposed Whether W is transposed.
   * @returns [m, n]
   */
  affine(x: Value, kernel: Value, rows: number, transposed = false): Value {
    if (rows !== 1) return this.matMul(x, kernel, false, transposed);
    const float = { type: 'float32' } as const;
    const flags = { adj_x: { flag: false }, adj_y: { flag: transposed } };
    return this.op('BatchMatMulV3', [x, kernel], { Ta: float, Tb: float, Tout: float, ...flags });
  }

  /**
   * Products of matrices, one for each index of the leading axes.
   *
   * @param a [..., m, k], or [..., k, m] when transposed.
   * @param b [..., k, n], or [..., n, k] when transposed.
   * @param transposeA Whether a is transposed.
   * @param transposeB Whether b is transposed.
   * @returns [..., m, n]
   */
  batchMatMul(a: Value, b: Value, transposeA = false, transposeB = false): Value {
    const flags = { adj_x: { flag: transposeA }, adj_y: { flag: transposeB } };
    return this.op('BatchMatMulV2', [a, b], { ...T, ...flags });
  }

  /** x in another shape, an int32 vector. No data move. */
  reshape(x: Value, shape: Value, type: Type = 'float32'): Value {
    return this.op('Reshape', [x, shape], { T: { type }, Tshape: AXES });
  }

  /** The shape of x, an int32 vector. */
  shape(x: Value, type: Type = 'float32'): Value {
    return this.op('Shape', [x], { T: { type }, out_type: AXES });
  }

  /** x with its axes in another order. */
  transpose(x: Value, order: readonly number[]): Value {
    return this.op('Transpose', [x, this.constant(order, 'int32')], { ...T, Tperm: AXES });
  }

  /** `Sum`, `Mean`, `Max` … over axes. */
  reduce(op: string, x: Value, axes: readonly number[], keepDims = false): Value {
    const attributes = { ...T, Tidx: AXES, keep_dims: { flag: keepDims } };
    return this.op(op, [x, this.constant(axes, 'int32')], attributes);
  }

  /** a where the condition holds, b elsewhere, with broadcasting. */
  select(condition: Value, a: Value | number, b: Value | number): Value {
    return this.op('SelectV2', [condition, this.value(a), this.value(b)]);
  }

  /** x as another type. */
  cast(x: Value, from: Type, to: Type): Value {
    return this.op('Cast', [x], { SrcT: { type: from }, DstT: { type: to } });
  }

  /** Zeros of the shape of x. */
  zerosLike(x: Value): Value {
    return this.op('ZerosLike', [x]);
  }

  /** The sum of tensors of one shape. */
  addN(tensors: readonly Value[]): Value {
    return this.op('AddN', tensors, { ...T, N: { integer: tensors.length } });
  }

  /** Scalars as a vector. */
  pack(scalars: readonly Value[]): Value {
    const attributes = { N: { integer: scalars.length }, axis: { integer: 0 } };
    return this.op('Pack', scalars, { ...T, ...attributes });
  }

  /** The elements of a vector, one by one. */
  unpack(x: Value, count: number, type: Type = 'float32'): Value[] {
    const first = this.op('Unpack', [x], {
      T: { type },
      num: { integer: count },
      axis: { integer: 0 },
    });
    return Array.from({ length: count }, (_, i) => nth(first, i));
  }

  /** The graph as TensorFlow's SavedModel format has it. */
  serialize(): Uint8Array {
    const graphDef = [...this.nodes, message(4, [integer(1, PRODUCER)])];
    return joined([integer(1, 1), message(2, [message(1, [text(4, TAG)]), message(2, graphDef)])]);
  }

  private value(x: Value | number): Value {
    return typeof x === 'number' ? this.constant(x) : x;
  }

  private node(
    name: string,
    op: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
  ): Value {
    const fields = Object.entries(attributes).map(([key, value]) => attr(key, value));
    this.nodes.push(nodeDef(name, op, inputs, fields));
    return `${name}:0`;
  }
}

/** Under which tag a graph is loaded. */
export const TAG = 'serve';

/**
 * Another output of an operation.
 *
 * @param value Its first output.
 * @param i Number of the output.
 * @returns The tensor.
 */
export function nth(value: Value, i: number): Value {
  return value.replace(/:\d+$/, `:${i}`);
}

function nodeDef(name: string, op: string, inputs: readonly Value[], attrs: Field[]): Field {
  return message(1, [text(1, name), text(2, op), ...inputs.map((x) => text(3, x)), ...attrs]);
}

function attr(key: string, value: Attribute): Field {
  const encoded =
    'type' in value
      ? integer(6, TYPES[value.type])
      : 'integer' in value
        ? integer(3, value.integer)
        : integer(5, Number(value.flag));
  return message(5, [text(1, key), bytes(2, encoded)]);
}

/** The `value` of a `Const`: a TensorProto. */
function constantAttr(value: number | readonly number[], type: Type): Field {
  const numbers = typeof value === 'number' ? [value] : value;
  const shape = typeof value === 'number' ? [] : [message(2, [integer(1, value.length)])];
  const data = type === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
  const content = new Uint8Array(data.buffer);
  const tensor = [integer(1, TYPES[type]), message(2, shape), bytes(4, content)];
  return message(5, [text(1, 'value'), bytes(2, message(8, tensor))]);
}
