import * as tf from '@tensorflow/tfjs';
import { rotary, type RotaryOptions } from '../../src/ops/rotary.js';
import { describeBackends } from '../support/backends.js';
import { checkDirectional, randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';
import { expectNoLeaks } from '../support/expect_no_leaks.js';
import { loadFixtures } from '../support/fixtures.js';

const NAMES = ['rope', 'rope_start', 'rope_wavelength_scaling', 'rope_positions', 'rope_rank3'];
const cases = loadFixtures('keras_layers').filter(({ name }) => NAMES.includes(name));

describeBackends('rotary', () => {
  test('all five fixtures are there', () => expect(cases).toHaveLength(NAMES.length));
  test.each(cases.map((c) => [c.name, c] as const))('keras-hub fixture %s', (_, c) => {
    const { config, call } = c.parameters;
    const options: RotaryOptions = {
      maxWavelength: config.max_wavelength,
      scalingFactor: config.scaling_factor,
      offset: call.kwargs.start_index ?? 0,
      ...(c.has('positions') ? { positions: c.tensor('positions') } : {}),
    };
    c.expect('out', rotary(c.tensor('x'), options));
  });

  test('position 0 stays; two features at position t turn by the angle t', () => {
    const x = tf.tensor([
      [
        [1, 0],
        [1, 0],
        [0, 1],
      ],
    ]);
    const [c, s] = [Math.cos, Math.sin];
    expectClose(rotary(x), [
      [
        [1, 0],
        [c(1), s(1)],
        [-s(2), c(2)],
      ],
    ]);
    expectClose(rotary(x, { scalingFactor: 4, attentionFactor: 3 }), [
      [
        [3, 0],
        [3 * c(0.25), 3 * s(0.25)],
        [-3 * s(0.5), 3 * c(0.5)],
      ],
    ]);
  });

  test('keras-hub values: ones [1, 4, 6] at position 3', () => {
    const last = tf.slice(rotary(tf.ones([1, 4, 6])), [0, 3, 0], [1, 1, 6]);
    expectClose(last, [[[-1.1311, 0.8515, 0.9935, -0.8489, 1.1291, 1.0064]]], { atol: 1e-4 });
  });

  test('a part of the features is rotated, the rest stays', () => {
    const x = randomTensor([2, 5, 3, 7], 1);
    const out = rotary(x, { rotaryDim: 4, offset: 2 });
    const [part, rest] = tf.split(x, [4, 3], -1);
    expectClose(out, tf.concat([rotary(part, { offset: 2 }), rest], -1));
  });

  test('given frequencies take the place of the base', () => {
    const x = randomTensor([2, 5, 3, 4], 1);
    expectClose(rotary(x, { inverseFrequencies: [1, 0.01] }), rotary(x)); // 10000^(−2i/4)
    expectClose(rotary(x, { inverseFrequencies: [0, 0] }), x);
  });

  test('offset = positions, per token and per row', () => {
    const x = randomTensor([2, 5, 3, 6], 1);
    const options = { attentionFactor: 1.25 };
    const ints = (values: number[] | number[][]) => tf.tensor(values, undefined, 'int32');
    const expected = rotary(x, { ...options, offset: 11 });
    expectClose(rotary(x, { ...options, positions: ints([11, 12, 13, 14, 15]) }), expected);
    expectClose(rotary(x, { ...options, positions: tf.range(11, 16) }), expected);
    const rows = ints([
      [11, 12, 13, 14, 15],
      [0, 0, 1, 2, 3],
    ]);
    const [first, second] = tf.split(rotary(x, { ...options, positions: rows }), 2);
    const [x0, x1] = tf.split(x, 2);
    expectClose(first, rotary(x0, { ...options, offset: 11 }));
    expectClose(second, rotary(x1, { ...options, positions: ints([0, 0, 1, 2, 3]) }));
    expectClose(
      rotary(tf.squeeze(tf.slice(x, [0, 0, 1, 0], [2, 5, 1, 6]), [2]), { positions: rows }),
      tf.squeeze(tf.slice(rotary(x, { positions: rows }), [0, 0, 1, 0], [2, 5, 1, 6]), [2]),
    );
  });

  test('scores depend only on the distance of the positions', () => {
    const [query, key] = [randomTensor([1, 1, 1, 8], 1), randomTensor([1, 1, 1, 8], 2)];
    const score = (i: number, j: number) =>
      tf.sum(tf.mul(rotary(query, { offset: i }), rotary(key, { offset: j })));
    for (const [i, j, shift] of [
      [5, 2, 40],
      [0, 7, 13],
      [100, 100, 1000],
    ]) {
      expectClose(score(i + shift, j + shift), score(i, j), { atol: 2e-4 });
    }
    expect(Math.abs(score(5, 2).dataSync()[0] - score(5, 3).dataSync()[0])).toBeGreaterThan(1e-3);
  });

  test('keeps lengths, and its gradient turns back', () => {
    const x = randomTensor([2, 5, 3, 8], 1);
    const out = rotary(x, { offset: 3 });
    expectClose(tf.norm(out, 2, -1), tf.norm(x, 2, -1));
    expectClose(tf.grad((x: tf.Tensor) => rotary(x, { offset: 3 }))(x, out), x);
  });

  test.each<[string, number[], RotaryOptions]>([
    ['all features', [2, 5, 3, 6], { offset: 2 }],
    ['a part of them', [2, 5, 3, 7], { rotaryDim: 4, attentionFactor: 1.5 }],
    ['rank 3', [2, 5, 6], {}],
  ])('gradient: %s', (_, shape, options) => {
    const x = randomTensor(shape, 1);
    checkDirectional((x) => rotary(x, options), [x]);
    const positions = tf.tensor([0, 3, 1, 4, 1], undefined, 'int32');
    checkDirectional((x) => rotary(x, { ...options, offset: 0, positions }), [x]);
    expectNoLeaks((x) => rotary(x, options), [x]);
    expectNoLeaks((x) => rotary(x, { ...options, offset: 0, positions }), [x]);
  });

  test('bad input is refused', () => {
    const x = tf.ones([2, 5, 3, 6]);
    const thrown = (options: object, text: string) =>
      expect(() => rotary(x, options as RotaryOptions)).toThrow(text);
    expect(() => rotary(tf.ones([5, 6]))).toThrow(
      'rotary: x must have shape [B,T,N,H] or [B,T,H], got shape=[5,6].',
    );
    expect(() => rotary(tf.ones([2, 5, 7]))).toThrow(
      'rotary: rotaryDim must be even, got rotaryDim=7 for x [2,5,7].',
    );
    thrown(
      { rotaryDim: 8 },
      'rotary: rotaryDim must be an integer between 2 and 6, got rotaryDim=8.',
    );
    thrown(
      { positions: tf.zeros([3]) },
      'rotary: positions must have shape [T]=[5] or [B,T]=[2,5], got shape=[3].',
    );
    thrown(
      { positions: tf.zeros([5]), offset: 1 },
      'rotary: offset and positions exclude each other, got offset=1.',
    );
    thrown({ positions: [0, 1, 2, 3, 4] }, 'rotary: positions must be a tensor');
    thrown({ offset: -1 }, 'rotary: offset must be an integer of at least 0, got offset=-1.');
    thrown(
      { inverseFrequencies: [1] },
      'rotary: inverseFrequencies must be rotaryDim/2=3 finite numbers',
    );
    thrown({ scalingFactor: 0 }, 'rotary: scalingFactor must be above 0, got scalingFactor=0.');
    thrown({ maxWavelength: NaN }, 'rotary: maxWavelength must be a finite number');
    thrown({ attentionFactor: Infinity }, 'rotary: attentionFactor must be a finite number');
    thrown(
      { maxWaveLength: 5 },
      "rotary: unknown option 'maxWaveLength'. Did you mean 'maxWavelength'?",
    );
  });
});
