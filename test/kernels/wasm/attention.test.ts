/** The attention kernels against the composed reference, what they promise of memory, and where blocks end. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { forcePath } from '../../../src/ops/dispatch.js';
import {
  dotProductAttention,
  type DotProductAttentionOptions,
} from '../../../src/ops/dot_product_attention.js';
import { attentionCall, attentionCases, type AttentionCase } from '../../support/attention_case.js';
import { describeKernels } from '../../support/backends.js';
import { randomTensor } from '../../support/check_directional.js';
import { expectIdentical } from '../../support/expect_close.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';
import { peakBytes } from '../../support/peak_bytes.js';

/** A call without anything special. */
const plain: AttentionCase = {
  B: 2, T: 7, S: 11, K: 1, G: 1, H: 5, Hv: 5, spare: 0, mask: null, visible: 1, bias: null,
  causal: false, offset: 0, window: null, scale: null, softCap: null, dropout: 0, seed: 5,
}; // prettier-ignore

function check(c: AttentionCase, tolerance = { atol: 2e-5, rtol: 2e-5 }): void {
  tf.tidy(() => {
    const { inputs, operation } = attentionCall(c);
    expectKernelLikeReference(operation, inputs, tolerance);
  });
}

/** Value and gradients by the kernel, for Σ output²/2. */
function run(inputs: tf.Tensor[], options: DotProductAttentionOptions): tf.Tensor[] {
  const call = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor =>
    dotProductAttention(q, k, v, { ...options, returnScores: false });
  return forcePath('kernel', () => {
    const output = call(inputs[0], inputs[1], inputs[2]);
    return [output, ...tf.grads(call as (...x: tf.Tensor[]) => tf.Tensor)(inputs, output)];
  });
}

describeKernels('attention kernel', () => {
  test.each([1, 2, 3, 4, 5, 8, 13, 31, 32, 37, 64, 128, 257])('head size %i', (H) => {
    check({ ...plain, H, Hv: H, causal: true });
    check({ ...plain, H, Hv: 1 });
  });

  test.each([1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 257])('%i keys', (S) => {
    check({ ...plain, S });
    check({ ...plain, S, T: S, B: 1, causal: true });
    check({ ...plain, S, T: 1, causal: true, offset: S - 1, G: 2 });
  });

  test.each([1, 2, 3, 4, 5, 63, 64, 65, 131])('%i queries', (T) => {
    check({ ...plain, T, S: 67, K: 2, G: 3 });
    check({ ...plain, T, S: 140, causal: true, offset: 9, window: 5 });
  });

  test('random shapes, masks and options', () => {
    fc.assert(
      fc.property(attentionCases({ T: 20, S: 140, H: 20 }), (c) => check(c)),
      { numRuns: 40 },
    );
  });

  test.each([1e30, -3e38])('hidden keys and values may hold %d', (content) => {
    tf.tidy(() => {
      const [B, T, S, N, H] = [2, 9, 139, 3, 7];
      const inputs = [[B, T, N, H], [B, S, N, H], [B, S, N, H]].map((s, i) => randomTensor(s, i)); // prettier-ignore
      const shown = tf.less(tf.randomUniform([B, S, 1, 1], 0, 1, 'float32', 3), 0.4);
      const mask = tf.reshape(shown, [B, 1, 1, S]);
      for (const options of [{ mask }, { mask, causal: true, offset: 50, softCap: 3 }]) {
        const fill = (x: tf.Tensor, value: number): tf.Tensor =>
          tf.where(tf.broadcastTo(shown, x.shape), x, value);
        const expected = run(inputs, options);
        const [q, k, v] = inputs;
        run([q, fill(k, content), fill(v, -content)], options).forEach((tensor, i) =>
          expectIdentical(tensor, expected[i]),
        );
      }
    });
  });

  test('keys behind keyLength are not read, whatever they hold', () => {
    tf.tidy(() => {
      const [B, T, S, room, K, H] = [2, 3, 21, 40, 2, 5];
      const q = randomTensor([B, T, 4, H], 1);
      const [k, v] = [2, 3].map((seed) => randomTensor([B, S, K, H], seed));
      const rest = tf.fill([B, room - S, K, H], NaN);
      const expected = run([q, k, v], { causal: true, offset: 18 });
      const actual = run([q, tf.concat([k, rest], 1), tf.concat([v, rest], 1)], {
        causal: true, offset: 18, keyLength: S,
      }); // prettier-ignore
      actual.forEach((tensor, i) => {
        if (i < 2) return expectIdentical(tensor, expected[i]);
        expectIdentical(tensor.slice([0, 0], [-1, S]), expected[i]);
        expectIdentical(tensor.slice([0, S]), tf.zeros([B, room - S, K, H]));
      });
    });
  });

  test('a row that sees nothing gives 0, and its gradients are 0, beside rows that see something', () => {
    tf.tidy(() => {
      const inputs = [1, 2, 3].map((seed) => randomTensor([1, 10, 2, 6], seed));
      const rows = tf.tensor4d([0, 1, 0, 0, 0, 0, 0, 0, 1, 1], [1, 1, 10, 1]);
      const [output, dq, dk] = run(inputs, { mask: rows });
      const dead = tf.reshape(tf.sub(1, rows), [1, 10, 1, 1]);
      for (const tensor of [output, dq])
        expectIdentical(tf.mul(tensor, dead), tf.zeros([1, 10, 2, 6]));
      expect(tf.isFinite(dk).all().dataSync()[0]).toBe(1);
      for (const tensor of run(inputs, { mask: tf.zeros([1, 1, 1, 1]) }))
        expectIdentical(tensor, tf.zeros([1, 10, 2, 6]));
    });
  });

  test('mask and bias of lower rank', () => {
    tf.tidy(() => {
      const inputs = [1, 2, 3].map((seed) => randomTensor([2, 6, 2, 4], seed));
      for (const [maskShape, biasShape] of [
        [[6], []],
        [[6, 1], [6]],
        [[], [6, 6]],
        [
          [2, 1, 6],
          [2, 6, 1],
        ],
      ]) {
        const mask = tf.greater(tf.add(randomTensor(maskShape, 4), 1), 0);
        expectKernelLikeReference(
          (q, k, v, bias) => dotProductAttention(q, k, v, { mask, bias }),
          [...inputs, randomTensor(biasShape, 5)],
        );
      }
    });
  });

  test('an additive mask of −1e9 keeps its precision in the gradient', () => {
    tf.tidy(() => {
      const inputs = [1, 2, 3].map((seed) => randomTensor([1, 6, 1, 4], seed));
      const bias = tf.tensor4d([0, -1e9, 0, 0, -1e9, 0], [1, 1, 1, 6]);
      expectKernelLikeReference(
        (q, k, v) => dotProductAttention(q, k, v, { bias, causal: true }),
        inputs,
      );
      expectKernelLikeReference(
        (q, k, v) => dotProductAttention(q, k, v, { bias: tf.fill([1, 1, 1, 1], -1e9) }),
        inputs,
      );
    });
  });

  test('NaN and infinite content that is visible is passed on', () => {
    tf.tidy(() => {
      const [q, k, v] = [1, 2, 3].map((seed) => randomTensor([1, 5, 1, 4], seed));
      const spoil = (x: tf.Tensor, value: number): tf.Tensor =>
        tf.concat([tf.fill([1, 1, 1, 4], value), x.slice([0, 1])], 1);
      for (const value of [NaN, Infinity]) {
        const [output] = run([spoil(q, value), k, v], {});
        expect(
          tf
            .isNaN(output.slice([0, 0], [1, 1]))
            .all()
            .dataSync()[0],
        ).toBe(1);
        expect(
          tf
            .isFinite(output.slice([0, 1]))
            .all()
            .dataSync()[0],
        ).toBe(1);
        const [spread] = run([q, k, spoil(v, value)], {});
        expect(tf.isFinite(spread).any().dataSync()[0]).toBe(0);
      }
    });
  });

  test.each([
    ['batch', [0, 3, 2, 4], [0, 5, 2, 4]],
    ['queries', [2, 0, 2, 4], [2, 5, 2, 4]],
    ['keys', [2, 3, 2, 4], [2, 0, 2, 4]],
    ['head size', [2, 3, 2, 0], [2, 5, 2, 0]],
  ])('no %s', (_, query, key) => {
    tf.tidy(() => {
      const results = run([tf.zeros(query), tf.zeros(key), tf.zeros(key)], { scale: 1 });
      expect(results.map(({ shape }) => shape)).toEqual([query, query, key, key]);
      for (const tensor of results) expectIdentical(tensor, tf.zeros(tensor.shape));
    });
  });

  describe('memory', () => {
    /** Of a forward and backward pass. */
    const peak = (T: number, options: DotProductAttentionOptions): number =>
      tf.tidy(() => {
        const inputs = [1, 2, 3].map((seed) => randomTensor([1, T, 2, 8], seed));
        return peakBytes(() => run(inputs, options));
      });

    test.each([{}, { causal: true }, { window: 20, dropout: 0.1, seed: 1, training: true }])(
      'is linear in the length: %j',
      (options) => {
        const [a, b, c] = [256, 512, 1024].map((T) => peak(T, options));
        expect(c - b).toBeLessThan(2.1 * (b - a));
        expect(c).toBeLessThan(1024 * 1024 * 4); // one head's row of scores for each query would be that
      },
    );
  });
});
