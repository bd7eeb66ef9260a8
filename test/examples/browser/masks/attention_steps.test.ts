/** Every number that the page shows is held to the formula, and to what the layers of the model report. */
import * as tf from '@tensorflow/tfjs';
import {
  cellNumbers,
  computeSteps,
  leakedAttention,
  STRENGTHS,
  type MaskChoice,
  type Steps,
} from '../../../../examples/browser/src/masks/attention_steps.js';
import { makeModel, NUM_HEADS, NUM_LAYERS } from '../../../../examples/browser/src/masks/model.js';
import { padded, splitWords } from '../../../../examples/browser/src/masks/sentence.js';
import { describeBackends } from '../../../support/backends.js';

const sequence = padded(splitWords('The cat sat on the mat'), 7, 'right');
const T = sequence.ids.length;
const choices: MaskChoice[] = [
  { padding: true, causal: true },
  { padding: true, causal: false },
  { padding: false, causal: true },
  { padding: false, causal: false },
];

describeBackends('the steps of attention', () => {
  let model: tf.LayersModel;
  let all: Steps[];
  beforeAll(async () => {
    model = makeModel();
    all = [];
    for (const choice of choices) all.push(await computeSteps(model, sequence, choice));
  });
  afterAll(() => void model.dispose());

  const everyHead = (check: (steps: Steps, layer: number, head: number) => void): void => {
    for (const steps of all)
      for (let layer = 0; layer < NUM_LAYERS; layer++)
        for (let head = 0; head < NUM_HEADS; head++) check(steps, layer, head);
  };

  test('masks are those of the package, and AND is AND', () => {
    const [both, padding, causal, none] = all;
    for (let i = 0; i < T; i++) {
      for (let j = 0; j < T; j++) {
        expect(both.padding[i][j]).toBe(j < 6);
        expect(both.causal[i][j]).toBe(j <= i);
        expect(both.visible[i][j]).toBe(j < 6 && j <= i);
        expect(padding.visible[i][j]).toBe(j < 6);
        expect(causal.visible[i][j]).toBe(j <= i);
        expect(none.visible[i][j]).toBe(true);
        expect(both.bias[i][j]).toBe(both.visible[i][j] ? 0 : -1e9);
      }
    }
  });

  test('the formula agrees with what the layers report, for every layer and head', () => {
    expect(NUM_LAYERS).toBe(3);
    expect(NUM_HEADS).toBe(4);
    for (const { deviation, heads } of all) {
      expect(deviation).toBeLessThan(1e-5);
      expect(heads.map((layer) => layer.length)).toEqual([4, 4, 4]);
    }
  });

  test('softmax(scores + M), done by hand, gives the weights; hidden keys have exactly 0', () => {
    const wrong: unknown[] = [];
    everyHead((steps, layer, head) => {
      const numbers = steps.heads[layer][head];
      for (let i = 0; i < T; i++) {
        const cells = steps.visible.map((_, j) => cellNumbers(steps, numbers, i, j));
        const right = cells.every(
          ({ score, masked, exp, sum, weight, visible }) =>
            masked === (visible ? score : -1e9) &&
            Math.abs(exp / sum - weight) < 1e-5 &&
            (visible || (exp === 0 && weight === 0)),
        );
        const total = cells.reduce((sum, { weight }) => sum + weight, 0);
        if (!right || !(Math.abs(total - 1) < 1e-5)) wrong.push({ layer, head, i, cells });
      }
    });
    expect(wrong).toEqual([]);
  });

  test('a larger M hides more: from all of the share to nothing', () => {
    const wrong: unknown[] = [];
    everyHead((steps, layer, head) => {
      const { byStrength, weights } = steps.heads[layer][head];
      steps.visible.forEach((row, i) =>
        row.forEach((visible, j) => {
          const shares = byStrength.map((matrix) => matrix[i][j]);
          const last = shares.at(-1)!;
          const falls = shares.slice(1).every((share, s) => share <= shares[s]);
          const right = visible ? Math.abs(last - weights[i][j]) < 1e-5 : falls && last === 0;
          if (!right || !(shares[0] > 0) || shares.length !== STRENGTHS.length)
            wrong.push({ layer, head, i, j, shares });
        }),
      );
    });
    expect(wrong).toEqual([]);
  });

  test('what leaks is 0 under both masks, and more where one is off', () => {
    const leaks = all.map(({ heads }) => leakedAttention(sequence, heads[0][1].weights));
    expect(leaks[0]).toEqual({ future: 0, padding: 0 });
    expect(leaks[1].padding).toBe(0);
    expect(leaks[1].future).toBeGreaterThan(0.5); // the head that looks for the next word
    expect(leaks[2]).toEqual({ future: 0, padding: 0 }); // padding behind the words is in the future
    expect(leaks[3].padding).toBeGreaterThan(0);
  });

  test('the heads of the first layer look where they were told to', () => {
    const weights = all[1].heads[0].map((head) => head.weights);
    const mean = (head: number, step: number): number => {
      const rows = [1, 2, 3, 4]; // both neighbours are words
      return rows.reduce((sum, i) => sum + weights[head][i][i + step], 0) / rows.length;
    };
    for (const [head, step] of [
      [0, -1],
      [1, 1],
      [2, 0],
    ])
      // prettier-ignore
      for (const other of [-1, 0, 1].filter((other) => other !== step))
        expect(mean(head, step)).toBeGreaterThan(2 * mean(head, other));
    expect(weights[2][0][4]).toBeGreaterThan(0.3); // The … the
  });

  test('padding before the words: rows that see nothing are 0, and no NaN anywhere', async () => {
    const left = padded(['a', 'b'], 4, 'left');
    const steps = await computeSteps(model, left, choices[0]);
    for (const { weights } of steps.heads.flat()) {
      expect(weights.slice(0, 2).flat()).toEqual(new Array(8).fill(0));
      expect(weights.flat().every(Number.isFinite)).toBe(true);
    }
    const cell = cellNumbers(steps, steps.heads[0][0], 0, 1);
    expect(cell).toMatchObject({ visible: false, rowSeesSomething: false, bias: -1e9, weight: 0 });
  });

  test('leaves no tensor behind, and gives the same numbers again', async () => {
    const before = tf.memory().numTensors;
    const again = await computeSteps(model, sequence, choices[0]);
    expect(tf.memory().numTensors).toBe(before);
    expect(again).toEqual(all[0]);
    const twin = makeModel();
    expect(await computeSteps(twin, sequence, choices[0])).toEqual(all[0]);
    twin.dispose();
  });
});
