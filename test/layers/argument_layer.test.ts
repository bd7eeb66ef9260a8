import * as tf from '@tensorflow/tfjs';
import {
  ArgumentLayer,
  type ArgumentLayerArgs,
  type Signature,
} from '../../src/layers/argument_layer.js';
import type { CallArguments } from '../../src/layers/call_arguments.js';
import { expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

/** query + 10·value + 100·shift, negated by the flag `negate`. */
class Mix extends ArgumentLayer {
  static readonly className = 'Mix';

  constructor(args: ArgumentLayerArgs & { negate?: boolean } = {}) {
    super(args);
  }

  protected override signature(): Signature {
    return { tensors: ['query', 'value', 'shift'], positional: 2, flags: ['negate'] };
  }

  protected override buildFrom(): void {
    // no weights
  }

  protected override outputShapeFrom({ query }: Record<string, tf.Shape>): tf.Shape {
    return query;
  }

  protected override compute(tensors: Record<string, tf.Tensor>, kwargs: CallArguments): tf.Tensor {
    const { query, value = tf.zerosLike(query), shift = tf.zerosLike(query) } = tensors;
    const sum = tf.addN([query, tf.mul(value, 10), tf.mul(shift, 100)]);
    return this.flag('negate', kwargs) ? tf.neg(sum) : sum;
  }
}
tf.serialization.registerClass(Mix);

const mix = (args: ConstructorParameters<typeof Mix>[0] = {}) => new Mix({ name: 'mix', ...args });
const scalars = (...values: number[]) => values.map((value) => tf.tensor2d([[value]]));
const symbols = (count: number) => Array.from({ length: count }, () => tf.input({ shape: [1] }));
const [one, two, three] = [1, 2, 3].map((value) => tf.tensor2d([[value]]));
type Symbol = tf.SymbolicTensor;

beforeAll(() => tf.setBackend('cpu'));

describe('eager calls', () => {
  test('inputs by place, by name, and as the constructor says', () => {
    expectIdentical(mix().apply(one) as tf.Tensor, [[1]]);
    expectIdentical(mix().apply([one, two]) as tf.Tensor, [[21]]);
    expectIdentical(mix().apply(one, { shift: three }) as tf.Tensor, [[301]]);
    expectIdentical(mix().apply([one, two], { shift: three }) as tf.Tensor, [[321]]);
    expectIdentical(mix({ inputs: ['query', 'shift'] }).apply([one, three]) as tf.Tensor, [[301]]);
    expectIdentical(mix({ inputs: ['query+value', 'shift'] }).apply([one, three]) as tf.Tensor, [[311]]); // prettier-ignore
  });

  test('a flag of the call wins over that of the constructor', () => {
    expectIdentical(mix({ negate: true }).apply(one) as tf.Tensor, [[-1]]);
    expectIdentical(mix({ negate: true }).apply(one, { negate: false }) as tf.Tensor, [[1]]);
    expectIdentical(mix().apply(one, { negate: true }) as tf.Tensor, [[-1]]);
  });

  test('calls that make no sense are refused', () => {
    expect(() => mix().apply([one, two], { value: three })).toThrow(
      'mix: value is given twice, as an input and by name.',
    );
    expect(() => mix().apply([one, two, three])).toThrow(
      'mix: a list of inputs may hold query, value, got 3 tensors. Name them with the constructor option `inputs`',
    );
    expect(() => mix({ inputs: ['query', 'shift'] }).apply(one)).toThrow(
      'mix: takes 2 inputs (query, shift), got 1.',
    );
    expect(() => mix().apply(one, { shift: symbols(1)[0] })).toThrow(
      'mix: shift must be a tensor, as the input is.',
    );
    expect(() => mix().apply(symbols(1), { shift: one })).toThrow(
      'mix: shift must be symbolic, as the input is. Inside tf.model give it as an input of the model.',
    );
  });

  test('the option inputs is checked', () => {
    expect(() => mix({ inputs: ['query', 'key'] })).toThrow(
      "Mix: inputs must be of query, value, shift, got 'key'.",
    );
    expect(() => mix({ inputs: ['value', 'query'] })).toThrow(
      "Mix: the first of inputs must be 'query'",
    );
  });
});

describe('calls in a graph', () => {
  test('names and flags are recorded, hold in predict, and survive saving', async () => {
    const [x, shift] = symbols(2);
    const layer = mix();
    const outputs = layer.apply(x, { shift, negate: true }) as Symbol;
    expect(layer.getConfig()).toMatchObject({ inputs: ['query', 'shift'], negate: true });
    const model = tf.model({ inputs: [x, shift], outputs });
    const loaded = await saveAndLoad(model);
    expect(loaded.getLayer('mix').getConfig()).toEqual(layer.getConfig());
    for (const one of [model, loaded]) {
      expectIdentical(one.predict(scalars(1, 3)) as tf.Tensor, [[-301]]);
    }
  });

  test('the default order is not recorded', () => {
    const [x, value] = symbols(2);
    const layer = mix();
    layer.apply(x, { value });
    expect(layer.getConfig().inputs).toBeUndefined();
  });

  test('a tensor that plays two parts is fed once, and used again after the layer', async () => {
    const [x] = symbols(1);
    const hidden = tf.layers.activation({ activation: 'linear' }).apply(x) as Symbol;
    const layer = mix({ name: 'twice' });
    const y = layer.apply([hidden, hidden], { shift: hidden }) as Symbol;
    expect(layer.inboundNodes[0].inputTensors).toHaveLength(1);
    const outputs = tf.layers.add().apply([y, hidden]) as Symbol;
    const model = tf.model({ inputs: x, outputs });
    expectIdentical(model.predict(one) as tf.Tensor, [[102]]); // value = query is the default, so it is left out
    expectIdentical((await saveAndLoad(model)).predict(one) as tf.Tensor, [[102]]);
  });

  test('a shared layer may be called again in the same way', () => {
    const [x, shift, y] = symbols(3);
    const layer = mix();
    const first = layer.apply(x, { shift, negate: true }) as Symbol;
    const second = layer.apply(y, { shift, negate: true }) as Symbol;
    const model = tf.model({ inputs: [x, shift, y], outputs: [first, second] });
    const [a, b] = model.predict(scalars(1, 3, 2)) as tf.Tensor[];
    expectIdentical(a, [[-301]]);
    expectIdentical(b, [[-302]]);
  });

  test('a shared layer called in two incompatible ways is an error', () => {
    const [x, y] = symbols(2);
    const byInputs = mix();
    byInputs.apply(x);
    expect(() => byInputs.apply(x, { shift: y })).toThrow(
      'mix: called in a graph with inputs \'in default order\' before and ["query","shift"] now. Make a second layer.',
    );
    const byFlag = mix();
    byFlag.apply(x, { negate: true });
    expect(() => byFlag.apply(y, { negate: false })).toThrow(
      'mix: negate cannot differ between two calls in a graph, got true, then false. Make a second layer.',
    );
    expect(byFlag.getConfig().negate).toBe(true);
  });

  test('a flag that the first call left out and the second one sets is an error too', () => {
    const [x, y] = symbols(2);
    const layer = mix();
    layer.apply(x);
    expect(() => layer.apply(y, { negate: true })).toThrow('negate cannot differ');
  });

  test('the second call may leave a flag out only where it is not set', () => {
    const [x, y] = symbols(2);
    const layer = mix();
    layer.apply(x, { negate: true });
    expect(() => layer.apply(y)).toThrow('negate cannot differ');
  });
});
