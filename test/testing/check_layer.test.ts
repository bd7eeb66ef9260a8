import * as tf from '@tensorflow/tfjs';
import {
  CheckError,
  checkLayer,
  type LayerInput,
  type LayerReport,
} from '../../src/testing/index.js';
import { describeBackends } from '../support/backends.js';

type Config = tf.serialization.ConfigDict;

/** y = scale · x · kernel + bias, done right; each wrong layer below spoils one thing. */
class Scaled extends tf.layers.Layer {
  static readonly className: string = 'TestScaled';
  protected kernel!: tf.LayerVariable;
  protected bias!: tf.LayerVariable;
  readonly units: number;
  readonly scale: number;

  constructor(config: Config) {
    super(config);
    this.units = config.units as number;
    this.scale = (config.scale as number | undefined) ?? 1;
  }
  override build(shape: tf.Shape): void {
    const init = tf.initializers.randomNormal({ seed: 1, stddev: 0.5 });
    this.kernel = this.addWeight('kernel', [shape[1]!, this.units], 'float32', init);
    this.bias = this.addWeight('bias', [this.units], 'float32', init);
    super.build(shape);
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return [shape[0], this.units];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => this.compute(Array.isArray(inputs) ? inputs[0] : inputs));
  }
  compute(x: tf.Tensor): tf.Tensor {
    return tf.add(tf.mul(tf.matMul(x, this.kernel.read()), this.scale), this.bias.read());
  }
  override getConfig(): Config {
    return { ...super.getConfig(), units: this.units, scale: this.scale };
  }
}
tf.serialization.registerClass(Scaled);

/** Registers a class under its own name. */
function registered<T extends typeof Scaled>(type: T): T {
  tf.serialization.registerClass(type);
  return type;
}

const Forgets = registered(
  class extends Scaled {
    static override readonly className = 'TestForgets';
    override getConfig(): Config {
      const { scale, ...rest } = super.getConfig();
      void scale;
      return rest;
    }
  },
);
const Leaks = registered(
  class extends Scaled {
    static override readonly className = 'TestLeaks';
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return this.compute(Array.isArray(inputs) ? inputs[0] : inputs);
    }
  },
);
const WrongShape = registered(
  class extends Scaled {
    static override readonly className = 'TestWrongShape';
    override computeOutputShape(shape: tf.Shape): tf.Shape {
      return [shape[0], this.units + 1];
    }
  },
);
const NotJson = registered(
  class extends Scaled {
    static override readonly className = 'TestNotJson';
    override getConfig(): Config {
      return { ...super.getConfig(), scale: NaN };
    }
  },
);
class Unregistered extends Scaled {
  static override readonly className = 'TestUnregistered';
}
const DoubleName = registered(
  class extends Scaled {
    static override readonly className = 'TestDoubleName';
    override get trainableWeights(): tf.LayerVariable[] {
      return [...super.trainableWeights, ...super.trainableWeights.slice(1)];
    }
    override set trainableWeights(weights: tf.LayerVariable[]) {
      super.trainableWeights = weights;
    }
  },
);
const Grows = registered(
  class extends Scaled {
    static override readonly className = 'TestGrows';
    override compute(x: tf.Tensor): tf.Tensor {
      const name = `extra${this.weights.length}`;
      const extra = this.addWeight(name, [1], 'float32', tf.initializers.zeros(), undefined, false);
      tf.keep(extra.read());
      return super.compute(x);
    }
  },
);

/** Multiplies the gradient on its way back. */
function spoil(x: tf.Tensor, factor: number | number[]): tf.Tensor {
  return tf.customGrad((t: tf.Tensor | tf.GradSaveFunc) => ({
    value: tf.clone(t as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, factor),
  }))(x);
}
const WrongBias = registered(
  class extends Scaled {
    static override readonly className = 'TestWrongBias';
    override compute(x: tf.Tensor): tf.Tensor {
      const bias = spoil(this.bias.read(), [1, 1, 1.5, 1, 1]);
      return tf.add(tf.mul(tf.matMul(x, this.kernel.read()), this.scale), bias);
    }
  },
);
const SlightlyWrong = registered(
  class extends Scaled {
    static override readonly className = 'TestSlightlyWrong';
    override compute(x: tf.Tensor): tf.Tensor {
      return tf.add(
        tf.mul(tf.matMul(x, spoil(this.kernel.read(), 1.01)), this.scale),
        this.bias.read(),
      );
    }
  },
);
const Flipped = registered(
  class extends Scaled {
    static override readonly className = 'TestFlipped';
    override compute(x: tf.Tensor): tf.Tensor {
      return spoil(super.compute(x), -1);
    }
  },
);
const Detached = registered(
  class extends Scaled {
    static override readonly className = 'TestDetached';
    override compute(x: tf.Tensor): tf.Tensor {
      const y = super.compute(x);
      return tf.tensor(y.dataSync(), y.shape);
    }
  },
);
const Random = registered(
  class extends Scaled {
    static override readonly className = 'TestRandom';
    override compute(x: tf.Tensor): tf.Tensor {
      return tf.add(super.compute(x), tf.randomNormal([1]));
    }
  },
);

const x: LayerInput = { shape: [2, 3] };

/** A check that must fail: what it threw; asserts that no tensor is left. */
async function failure(
  create: () => tf.layers.Layer,
  options: Parameters<typeof checkLayer>[2] = {},
): Promise<CheckError<LayerReport>> {
  const error: unknown = await checkLayer(create, x, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CheckError);
  return error as CheckError<LayerReport>;
}

describeBackends('checkLayer: right layers pass', () => {
  const layers: [string, () => tf.layers.Layer, LayerInput | LayerInput[]][] = [
    ['scaled', () => new Scaled({ units: 5, scale: 1.7 }), x],
    ['dense', () => tf.layers.dense({ units: 5, activation: 'tanh', biasInitializer: 'randomNormal' }), { shape: [2, 7, 3] }],
    ['dense with relu', () => tf.layers.dense({ units: 13, activation: 'relu' }), { shape: [7, 5] }],
    ['layerNormalization', () => tf.layers.layerNormalization({ epsilon: 0.01 }), { shape: [2, 3, 5] }],
    ['conv1d', () => tf.layers.conv1d({ filters: 3, kernelSize: 2, padding: 'same' }), { shape: [2, 7, 5] }],
    ['embedding', () => tf.layers.embedding({ inputDim: 7, outputDim: 3 }), { shape: [2, 5], dtype: 'int32', max: 7 }],
    ['two inputs', () => tf.layers.dot({ axes: 1 }), [{ shape: [2, 3] }, { shape: [2, 3], max: 2 }]],
    ['no weights', () => tf.layers.softmax({ axis: -1 }), { shape: [2, 3], max: 3 }],
  ]; // prettier-ignore

  test.each(layers)('%s', async (_, create, inputs) => {
    const backend = tf.getBackend();
    const layer = create();
    // The wasm backend has no gradient kernels for these.
    const untrainable =
      ['Conv1D', 'Embedding'].includes(layer.getClassName()) && backend === 'wasm';
    const reason = 'no Conv2DBackpropFilter and no UnsortedSegmentSum on wasm';
    const skip = untrainable ? { gradients: reason, leaks: reason, step: reason } : {};
    const before = tf.memory().numTensors;
    const report = await checkLayer(create, inputs, { skip });
    expect(tf.memory().numTensors).toBe(before);
    expect(report.passed).toBe(true);
    expect(report.layer).toBe(layer.getClassName());
    for (const name of ['weights', 'shape', 'config', 'save', 'twice'] as const) {
      expect(report.checks[name]).toBe('passed');
    }
    if (untrainable) expect(report.checks.step).toBe(`skipped: ${reason}`);
    // What passes lies within tolerance and the uncertainty of the difference; weights start unseeded here.
    else {
      for (const check of report.gradients) {
        expect(check.relativeError).toBeLessThanOrEqual(2e-3 + check.uncertainty);
      }
    }
  });

  test('tensors as inputs stay', async () => {
    const input = tf.tensor2d([[1, 2, 4], [-1, 0, 1]]); // prettier-ignore
    const before = tf.memory().numTensors;
    expect((await checkLayer(() => new Scaled({ units: 5 }), input)).passed).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
    input.dispose();
  });

  test('the report', async () => {
    const report = await checkLayer(() => new Scaled({ units: 5, scale: 1.7 }), x);
    expect(report.weights).toHaveLength(2);
    expect(report.outputShapes).toEqual([[2, 5]]);
    expect(report.gradients.map((check) => check.name.replace(/.*\//, ''))).toEqual([
      'kernel',
      'bias',
      'input',
    ]);
    const none = await checkLayer(
      () => tf.layers.flatten(),
      { shape: [2, 3, 5], dtype: 'int32', max: 9 },
      {
        skip: { gradients: 'integers' },
      },
    );
    expect(none.checks.step).toBe('not applicable: no float32 output');
    expect(none.checks.gradients).toBe('skipped: integers');
  });
});

describeBackends('checkLayer: wrong layers fail', () => {
  const scale = { units: 5, scale: 1.7 };
  const wrong: [string, () => tf.layers.Layer, RegExp][] = [
    ['a getConfig that forgets an option', () => new Forgets(scale), /^checkLayer\(TestForgets\): config: a layer made from its config must compute the same, but the output at \[\d,\d\] is .* instead of .*\. Does getConfig return every constructor option\?$/],
    ['a config that JSON cannot hold', () => new NotJson(scale), /config: getConfig must return what JSON can hold, but scale: NaN became null/],
    ['a class that is not registered', () => new Unregistered(scale), /save: tf\.loadLayersModel must read a saved model.*TestUnregistered.*registerClass/s],
    ['computeOutputShape', () => new WrongShape(scale), /shape: computeOutputShape must be the shape that call returns, got \[2,6\] for \[2,5\]/],
    ['a leak', () => new Leaks(scale), /leaks: forward: no tensor may be left behind, got 2 more than before/],
    ['two weights of one name', () => new DoubleName(scale), /weights: weight names must be unique, got '.*bias' more than once/],
    ['a call that makes weights', () => new Grows(scale), /weights: a second call must make no new weights/],
    ['one wrong element of a gradient', () => new WrongBias(scale), /gradients: TestWrongBias: the gradient of '[^']*bias' is wrong, worst found at \[2\]: tape=/],
    ['a factor of 1.01', () => new SlightlyWrong(scale), /gradients: TestSlightlyWrong: the gradient of '[^']*kernel' is wrong, worst found at \[\d,\d\]/],
    ['a sign', () => new Flipped(scale), /gradients: TestFlipped: the gradient of '[^']*' is wrong.*relative error 2\.00.*Wrong as well: '.*', '.*'\.$/],
    ['no gradient at all', () => new Detached(scale), /gradients: TestDetached: the gradient of '[^']*' is wrong.*tape=0\.0000/],
    ['a call that throws', () => tf.layers.conv1d({ filters: 2, kernelSize: 2 }), /^checkLayer\(Conv1D\): calling the layer fails: .*ndim/],
    ['another result each time', () => new Random(scale), /(shape|config): .*/],
  ]; // prettier-ignore

  test.each(wrong)('%s', async (_, create, text) => {
    const error = await failure(create);
    expect(error.message).toMatch(text);
    expect(error.report.passed).toBe(false);
  });

  test('a step that raises the loss', async () => {
    const error = await failure(() => new Flipped(scale), {
      skip: { gradients: 'to get to the step' },
    });
    expect(error.message).toMatch(
      /step: one step of gradient descent must lower the loss, got .* before and .* after/,
    );
    expect(error.report.checks.gradients).toBe('skipped: to get to the step');
    expect(error.report.checks.config).toBe('passed');
    const none = await failure(() => new Detached(scale), {
      skip: { gradients: 'to get to the step' },
    });
    expect(none.message).toMatch(/step: no trainable weight has a gradient/);
  });

  test('the weights of a failing layer are given back', async () => {
    const before = tf.memory().numTensors;
    await failure(() => new WrongBias(scale));
    await failure(() => new Forgets(scale));
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('checkLayer: bad input', () => {
  const create = () => new Scaled({ units: 5 });
  const cases: [string, () => Promise<unknown>, string][] = [
    ['a layer instead of a function', () => checkLayer(create() as never, x), 'checkLayer: create must be a function that returns a layer, got'],
    ['no inputs', () => checkLayer(create, []), 'checkLayer: needs at least one input, got none.'],
    ['no shape', () => checkLayer(create, {} as never), 'checkLayer: inputs[0] must be a tensor or {shape, dtype, max}, got {}.'],
    ['a size', () => checkLayer(create, { shape: [2, 0.5] }), 'checkLayer: a size in inputs[0].shape must be an integer of at least 1'],
    ['dtype', () => checkLayer(create, { shape: [2], dtype: 'string' as never }), "checkLayer: inputs[0].dtype must be float32, int32 or bool, got dtype='string'."],
    ['max', () => checkLayer(create, { shape: [2], dtype: 'int32', max: 0.5 }), 'checkLayer: inputs[0].max must be an integer of at least 1'],
    ['unknown key', () => checkLayer(create, { shape: [2], Max: 3 } as never), "checkLayer: unknown option 'Max'. Did you mean 'max'?"],
    ['batch sizes', () => checkLayer(create, [{ shape: [2, 3] }, { shape: [3, 3] }]), 'checkLayer: inputs must share their first axis, the batch, got shapes [2,3], [3,3].'],
    ['unknown check', () => checkLayer(create, x, { skip: { saves: 'x' } as never }), "checkLayer: skip: unknown option 'saves'."],
    ['no reason', () => checkLayer(create, x, { skip: { save: '' } }), "checkLayer: skip.save must be the reason as text, got ''."],
    ['tolerance', () => checkLayer(create, x, { tolerance: 2 }), 'checkLayer: tolerance must be a finite number between 0 and 1, got tolerance=2.'],
  ]; // prettier-ignore
  test.each(cases)('%s', async (_, run, text) => {
    await expect(run()).rejects.toThrow(text);
  });
});
