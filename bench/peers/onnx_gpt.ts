/**
 * One of our models as an ONNX graph: inputs and outputs as Optimum exports a GPT-2 (`input_ids`, `attention_mask`,
 * `position_ids`, `past_key_values.i.key`, …; `logits`, `present.i.key`, …), plain operators of opset 20, which ONNX Runtime
 * fuses as far as it can.
 */
import * as tf from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import type { Sizes } from '../composed_gpt.js';

type Attribute = number | number[] | string;

/**
 * Writes it.
 *
 * @param model Our `causalLM`: learned positions, layer norm, tanh GELU, tied table.
 * @param sizes Its sizes.
 * @returns The bytes of `model.onnx`.
 * @throws Error where onnx-proto is not installed.
 */
export async function onnxGpt(
  model: tf.LayersModel,
  { layers, width, heads, vocabulary }: Omit<Sizes, 'batch' | 'length'>,
): Promise<Uint8Array> {
  const { onnx } = createRequire(import.meta.url)('onnx-proto');
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  const size = width / heads;
  const nodes: object[] = [];
  const initializers: object[] = [];
  const constant = (name: string, values: Float32Array, dims: number[]): string => {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    initializers.push({ name, dims, dataType: FLOAT, rawData });
    return name;
  };
  const integers = (name: string, values: number[], dims = [values.length]): string => {
    const rawData = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
    initializers.push({ name, dims, dataType: INT64, rawData });
    return name;
  };
  let count = 0;
  const node = (
    opType: string,
    input: string[],
    attributes: Record<string, Attribute> = {},
    output = `${opType}_${count++}`,
  ): string => {
    const { AttributeType } = onnx.AttributeProto;
    const attribute = Object.entries(attributes).map(([name, value]) =>
      Array.isArray(value)
        ? { name, ints: value, type: AttributeType.INTS }
        : typeof value === 'string'
          ? { name, s: new TextEncoder().encode(value), type: AttributeType.STRING }
          : Number.isInteger(value)
            ? { name, i: value, type: AttributeType.INT }
            : { name, f: value, type: AttributeType.FLOAT },
    );
    nodes.push({ opType, input, output: [output], attribute });
    return output;
  };
  const weights = new Map(model.weights.map((weight) => [weight.originalName, weight]));
  const weight = async (name: string, dims?: number[]): Promise<string> => {
    const found = weights.get(name)!;
    const values = (await found.read().data()) as Float32Array;
    return constant(name, values, dims ?? (found.shape as number[]));
  };

  const table = await weight('token_embedding/embeddings');
  const splitShape = integers('split_shape', [0, 0, heads, size]);
  const joinShape = integers('join_shape', [0, 0, width]);
  const scale = constant('scale', Float32Array.of(1 / Math.sqrt(size)), []);
  const least = constant('least', Float32Array.of(-1e9), []);
  const none = constant('none', Float32Array.of(0), []);

  let x = node('Add', [
    node('Gather', [table, 'input_ids']),
    node('Gather', [await weight('position_embedding/embeddings'), 'position_ids']),
  ]);
  // A key is seen from its own position on, where attention_mask has not hidden it.
  const length = node('Gather', [node('Shape', ['attention_mask']), integers('one', [1], [])]);
  const keys = node('Range', [integers('first', [0], []), length, 'one']);
  const rows = node('Unsqueeze', ['position_ids', integers('row_axes', [1, 3])]);
  const earlier = node('LessOrEqual', [keys, rows]);
  const present = node('Unsqueeze', [
    node('Cast', ['attention_mask'], { to: onnx.TensorProto.DataType.BOOL }),
    integers('key_axes', [1, 2]),
  ]);
  const mask = node('Where', [node('And', [earlier, present]), none, least]);

  for (let i = 0; i < layers; i++) {
    const at = `block_${i}/`;
    const norm = async (input: string, name: string): Promise<string> =>
      node(
        'LayerNormalization',
        [input, await weight(`${at}${name}/gamma`), await weight(`${at}${name}/beta`)],
        { axis: -1, epsilon: 1e-5 },
      );
    const dense = async (input: string, name: string, from: number, to: number): Promise<string> =>
      node('Add', [
        node('MatMul', [input, await weight(`${at}${name}/kernel`, [from, to])]),
        await weight(`${at}${name}/bias`, [to]),
      ]);
    const normal = await norm(x, 'self_attention_layer_norm');
    const project = async (part: string): Promise<string> =>
      node(
        'Transpose',
        [
          node('Reshape', [
            await dense(normal, `self_attention/${part}`, width, width),
            splitShape,
          ]),
        ],
        { perm: [0, 2, 1, 3] },
      );
    const query = await project('query');
    const [key, value] = [await project('key'), await project('value')].map((now, j) => {
      const name = ['key', 'value'][j];
      const past = `past_key_values.${i}.${name}`;
      return node('Concat', [past, now], { axis: 2 }, `present.${i}.${name}`);
    });
    const scores = node('Mul', [
      node('MatMul', [query, node('Transpose', [key], { perm: [0, 1, 3, 2] })]),
      scale,
    ]);
    const seen = node('Softmax', [node('Add', [scores, mask])], { axis: -1 });
    const joined = node('Reshape', [
      node('Transpose', [node('MatMul', [seen, value])], { perm: [0, 2, 1, 3] }),
      joinShape,
    ]);
    x = node('Add', [x, await dense(joined, 'self_attention/attention_output', width, width)]);
    const wide = await dense(
      await norm(x, 'feedforward_layer_norm'),
      ...(['feedforward_intermediate_dense', width, 4 * width] as const),
    );
    const narrow = await dense(
      node('Gelu', [wide], { approximate: 'tanh' }),
      ...(['feedforward_output_dense', 4 * width, width] as const),
    );
    x = node('Add', [x, narrow]);
  }
  const last = node(
    'LayerNormalization',
    [x, await weight('final_norm/gamma'), await weight('final_norm/beta')],
    { axis: -1, epsilon: 1e-5 },
  );
  node('MatMul', [last, node('Transpose', [table], { perm: [1, 0] })], {}, 'logits');

  const value = (name: string, elemType: number, dims: (string | number)[]): object => {
    const dim = dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d }));
    return { name, type: { tensorType: { elemType, shape: { dim } } } };
  };
  const cache = (prefix: string, S: string): object[] =>
    Array.from({ length: layers }, (_, i) =>
      ['key', 'value'].map((name) => value(`${prefix}.${i}.${name}`, FLOAT, ['B', heads, S, size])),
    ).flat();
  const graph = {
    name: 'gpt',
    node: nodes,
    initializer: initializers,
    input: [
      value('input_ids', INT64, ['B', 'T']),
      value('attention_mask', INT64, ['B', 'S']),
      value('position_ids', INT64, ['B', 'T']),
      ...cache('past_key_values', 'P'),
    ],
    output: [value('logits', FLOAT, ['B', 'T', vocabulary]), ...cache('present', 'S')],
  };
  const proto = { irVersion: 9, opsetImport: [{ domain: '', version: 20 }], graph };
  return onnx.ModelProto.encode(proto).finish() as Uint8Array;
}
