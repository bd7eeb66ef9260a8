import * as tf from '@tensorflow/tfjs';
import { makeModel } from '../../../../examples/browser/src/masks/model.js';
import { padded } from '../../../../examples/browser/src/masks/sentence.js';
import {
  CHOICES,
  compareRows,
  whoNotices,
} from '../../../../examples/browser/src/masks/who_notices.js';
import { describeBackends } from '../../../support/backends.js';

test('rows are compared bit by bit', () => {
  const before = new Float32Array([1, 2, 0, 4, 5, 6]);
  const after = new Float32Array([1, 2, -0, 4, 5.5, 6]);
  expect(compareRows(before, before, 3)).toEqual(
    Array.from({ length: 3 }, () => ({ identical: true, difference: 0 })),
  );
  // −0 is another bit pattern, though not another number.
  expect(compareRows(before, after, 3)).toEqual([
    { identical: true, difference: 0 },
    { identical: false, difference: 0 },
    { identical: false, difference: 0.5 },
  ]);
});

describeBackends('who notices a change', () => {
  let model: tf.LayersModel;
  beforeAll(() => (model = makeModel()));
  afterAll(() => void model.dispose());
  /** For each of CHOICES (none, padding, causal, both) a letter a row: `=` or `x`. */
  const marks = async (side: 'left' | 'right', place: number): Promise<string[]> => {
    const sequence = padded(['The', 'cat', 'sat', 'down'], 6, side);
    const rows = await whoNotices(model, sequence, place, 'moon');
    return rows.map((row) => row.map(({ identical }) => (identical ? '=' : 'x')).join(''));
  };

  test('there are four choices', () => {
    expect(CHOICES.map(({ padding, causal }) => [padding, causal])).toEqual([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]);
  });

  test('the last word: nobody before it, if the future is hidden; everybody, if not', async () => {
    expect(await marks('right', 3)).toEqual(['xxxxxx', 'xxxxxx', '===xxx', '===xxx']);
  });

  test('a word in the middle: those behind it notice, and may', async () => {
    expect(await marks('right', 1)).toEqual(['xxxxxx', 'xxxxxx', '=xxxxx', '=xxxxx']);
  });

  test('padding before the words: only the padding mask helps', async () => {
    expect(await marks('left', 0)).toEqual(['xxxxxx', 'x=====', 'xxxxxx', 'x=====']);
  });

  test('padding behind the words: both masks help', async () => {
    expect(await marks('right', 5)).toEqual(['xxxxxx', '=====x', '=====x', '=====x']);
  });

  test('differences are numbers that can be shown, and no tensor is left', async () => {
    const sequence = padded(['a', 'b'], 3, 'right');
    const before = tf.memory().numTensors;
    const rows = (await whoNotices(model, sequence, 1, 'c')).flat();
    expect(tf.memory().numTensors).toBe(before);
    for (const { identical, difference } of rows) {
      expect(Number.isFinite(difference)).toBe(true);
      expect(difference > 0).toBe(!identical);
    }
  });
});
