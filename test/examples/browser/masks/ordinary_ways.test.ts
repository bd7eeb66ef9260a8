import * as tf from '@tensorflow/tfjs';
import { makeModel } from '../../../../examples/browser/src/masks/model.js';
import {
  ordinaryWays,
  type OrdinaryWays,
} from '../../../../examples/browser/src/masks/ordinary_ways.js';

describe('what goes wrong the ordinary way', () => {
  let model: tf.LayersModel;
  let found: OrdinaryWays;
  beforeAll(async () => {
    await tf.setBackend('cpu'); // where the page computes
    model = makeModel();
    found = await ordinaryWays(model, ['the', 'cat', 'sat', 'on'], 1);
  });
  afterAll(() => void model.dispose());

  test('two paddings, three words', () => {
    expect(found.sequence.isPadding).toEqual([true, true, false, false, false]);
    expect(found.visible.map((row) => row.map(Number).join(''))).toEqual([
      '00000',
      '00000',
      '00100',
      '00110',
      '00111',
    ]);
  });

  test('here: what is hidden has 0, rows that see something add up to 1, the others are 0', () => {
    for (const { here } of [found.sum, found.infinity, found.wild]) {
      here.forEach((row, i) => {
        row.forEach((weight, j) => {
          if (!found.visible[i][j]) expect(weight).toBe(0);
        });
        expect(row.reduce((sum, weight) => sum + weight)).toBeCloseTo(i < 2 ? 0 : 1, 5);
      });
    }
  });

  test('a sum of biases lets padding see the future: what is hidden once beats what is hidden twice', () => {
    expect(found.biases.sum[0]).toEqual([-1e9, -2e9, -1e9, -1e9, -1e9]);
    expect(found.biases.here[0]).toEqual([-1e9, -1e9, -1e9, -1e9, -1e9]);
    expect(found.sum.ordinary[0]).toEqual([0.25, 0, 0.25, 0.25, 0.25]);
  });

  test('−Infinity makes NaN of rows that see nothing, and of no others', () => {
    expect(found.infinity.ordinary.map((row) => row.every(Number.isNaN))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(found.infinity.ordinary.slice(2).flat().some(Number.isNaN)).toBe(false);
  });

  test('a huge hidden key takes everything when M is only added', () => {
    expect(found.wildScore).toBeGreaterThan(1e9);
    expect(found.wild.ordinary[2]).toEqual([0, 0, 0, 0, 1]);
    expect(found.wild.here[2]).toEqual([0, 0, 1, 0, 0]);
  });

  test('leaves no tensor behind; a single word will do', async () => {
    const before = tf.memory().numTensors;
    const { sequence } = await ordinaryWays(model, ['猫'], 0);
    expect(sequence.words).toHaveLength(3);
    expect(tf.memory().numTensors).toBe(before);
  });
});
