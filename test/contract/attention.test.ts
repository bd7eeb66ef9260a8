/** `dotProductAttention` against PyTorch in float64, and the behaviours that masks promise, on every backend. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import * as masks from '../../src/masks/index.js';
import {
  dotProductAttention,
  type DotProductAttentionOptions,
} from '../../src/ops/dot_product_attention.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';
import { precision } from '../support/precision.js';

/** The options that the parameters of a fixture describe. */
function optionsOf(c: FixtureCase): DotProductAttentionOptions {
  const { causal, query_offset: offset, window, scale, scale_is_default: isDefault } = c.parameters;
  const parts: tf.Tensor[] = [];
  if (c.has('mask')) parts.push(c.tensor('mask'));
  if (c.has('padding_mask')) parts.push(c.tensor('padding_mask').expandDims(1).expandDims(1));
  if (c.has('prefix_lengths')) parts.push(masks.prefix(c.tensor('prefix_lengths'), c.parameters.T));
  if (c.has('segment_ids')) parts.push(masks.segments(c.tensor('segment_ids')));
  return {
    causal,
    offset,
    window,
    ...(isDefault ? {} : { scale }),
    ...(c.has('bias') ? { bias: c.tensor('bias') } : {}),
    ...(parts.length > 0 ? { mask: masks.and(...parts) } : {}),
  };
}

describeBackends('dotProductAttention', () => {
  describe('fixtures of PyTorch', () => {
    for (const c of loadFixtures('attention')) {
      test(c.name, () => {
        expectNoLeak(() =>
          tf.tidy(() => {
            const [q, k, v, upstream] = ['query', 'key', 'value', 'upstream'].map((name) =>
              c.tensor(name),
            );
            const options = optionsOf(c);
            const { output, scores } = dotProductAttention(q, k, v, {
              ...options,
              returnScores: true,
            });
            c.expect('out', output);
            if (c.has('probabilities')) c.expect('probabilities', scores);
            const wrt = [q, k, v, ...(options.bias ? [options.bias] : [])];
            const loss = (...[q, k, v, bias]: tf.Tensor[]): tf.Scalar =>
              tf.sum(
                tf.mul(
                  dotProductAttention(q, k, v, {
                    ...options,
                    ...(bias ? { bias } : {}),
                    returnScores: false,
                  }),
                  upstream,
                ),
              );
            const grads = tf.grads(loss as never)(wrt);
            ['dquery', 'dkey', 'dvalue', 'dbias']
              .slice(0, wrt.length)
              .forEach((name, i) => c.expect(name, grads[i]));
            if (c.has('effective_mask')) {
              const explicit = dotProductAttention(q, k, v, {
                ...(options.scale === undefined ? {} : { scale: options.scale }),
                bias: options.bias ?? null,
                mask: c.tensor('effective_mask'),
              });
              c.expect('out', explicit);
            }
            return [];
          }),
        );
      });
    }
  });

  const [B, T, S, N, H, Hv] = [2, 5, 7, 3, 11, 13];
  const inputs = (K = N): tf.Tensor[] => [
    tf.randomNormal([B, T, N, H], 0, 1, 'float32', 1),
    tf.randomNormal([B, S, K, H], 0, 1, 'float32', 2),
    tf.randomNormal([B, S, K, Hv], 0, 1, 'float32', 3),
  ];

  test('equal scores give the mean of the visible values', () => {
    const value = tf.tensor4d([1, 2, 4, 8], [1, 4, 1, 1]);
    const mask = tf.tensor4d([1, 0, 1, 0], [1, 1, 1, 4]);
    const zeros = tf.zeros([1, 4, 1, 3]);
    expectClose(dotProductAttention(tf.zeros([1, 1, 1, 3]), zeros, value, { mask }), [[[[2.5]]]], {
      atol: 1e-6,
    });
  });

  test('soft cap is applied to scaled scores, before the bias', () => {
    const one = tf.ones([1, 1, 1, 1]);
    const key = tf.tensor4d([3, 0], [1, 2, 1, 1]);
    const bias = tf.tensor4d([0, 1], [1, 1, 1, 2]);
    const { scores } = dotProductAttention(one, key, tf.ones([1, 2, 1, 1]), {
      scale: 2, softCap: 5, bias, returnScores: true,
    }); // prettier-ignore
    const a = Math.exp(5 * Math.tanh(6 / 5));
    const b = Math.exp(1);
    expectClose(scores, [[[[a / (a + b), b / (a + b)]]]]);
  });

  test('the gradient through the soft cap equals finite differences', () => {
    const [q, k, v] = inputs();
    const f = (q: tf.Tensor): tf.Scalar =>
      tf.sum(tf.square(dotProductAttention(q, k, v, { softCap: 0.7, causal: true })));
    const direction = tf.randomNormal(q.shape, 0, 1, 'float32', 9);
    const h = Math.max(1e-2, precision().step);
    const plus = f(tf.add(q, tf.mul(direction, h))).dataSync()[0];
    const minus = f(tf.sub(q, tf.mul(direction, h))).dataSync()[0];
    const along = tf.sum(tf.mul(tf.grad(f)(q), direction)).dataSync()[0];
    expect(Math.abs(along - (plus - minus) / (2 * h))).toBeLessThan(
      Math.max(1e-2, precision().slope) * (1 + Math.abs(along)),
    );
  });

  test('grouped queries equal repeated key and value heads, forward and backward', () => {
    const [B, T, S, K, G, H] = [2, 5, 7, 3, 2, 5];
    const q = tf.randomNormal([B, T, K * G, H], 0, 1, 'float32', 1);
    const k = tf.randomNormal([B, S, K, H], 0, 1, 'float32', 2);
    const v = tf.randomNormal([B, S, K, H], 0, 1, 'float32', 3);
    const repeat = (x: tf.Tensor): tf.Tensor =>
      tf.reshape(tf.stack(Array<tf.Tensor>(G).fill(x), 3), [B, S, K * G, H]);
    const loss = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Scalar =>
      tf.sum(tf.square(dotProductAttention(q, k, v, { causal: true, offset: 1 })));
    const grouped = tf.grads(loss as never)([q, k, v]);
    const repeated = tf.grads(((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      loss(q, repeat(k), repeat(v))) as never)([q, k, v]);
    expectClose(
      dotProductAttention(q, k, v, { causal: true }),
      dotProductAttention(q, repeat(k), repeat(v), { causal: true }),
    );
    grouped.forEach((g, i) => expectClose(g, repeated[i], { atol: 2e-5 }));
  });

  test.each([
    [1e4, null],
    [1e4, 20],
    [-1e4, 20],
    [6e4, 20],
    [-6e4, null],
    [1e30, 20],
    [-3e38, null],
  ])(
    'a masked key that holds %s changes nothing, to the last bit; soft cap %s',
    (content, softCap) => {
      const [q, k, v] = inputs();
      const mask = tf.tensor4d([1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1], [B, 1, 1, S]);
      const hiddenKeys = tf.reshape(tf.equal(mask, 0), [B, S, 1, 1]);
      const run = (content: number): tf.Tensor[] => {
        const kk = tf.where(tf.broadcastTo(hiddenKeys, k.shape), content, k);
        const vv = tf.where(tf.broadcastTo(hiddenKeys, v.shape), -content, v);
        const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Scalar =>
          tf.sum(tf.square(dotProductAttention(q, k, v, { mask, softCap })));
        return [
          dotProductAttention(q, kk, vv, { mask, softCap }),
          ...tf.grads(f as never)([q, kk, vv]),
        ];
      };
      const base = run(1);
      run(content).forEach((tensor, i) => expectIdentical(tensor, base[i]));
      const [, , dk, dv] = base;
      for (const gradient of [dk, dv]) {
        const hidden = tf.where(tf.broadcastTo(hiddenKeys, gradient.shape), gradient, 0);
        expect(tf.max(tf.abs(hidden)).dataSync()[0]).toBe(0);
      }
    },
  );

  test('a query that sees no key gives 0 everywhere: output, scores, gradients', () => {
    const [q, k, v] = inputs();
    const rows = tf.tensor4d([1, 0, 1, 0, 1, 0, 0, 0, 0, 0], [B, 1, T, 1]);
    const { output, scores } = dotProductAttention(q, k, v, { mask: rows, returnScores: true });
    const dead = tf.equal(rows, 0);
    const pick = (x: tf.Tensor, m: tf.Tensor): number =>
      tf.max(tf.abs(tf.where(tf.broadcastTo(m, x.shape), x, 0))).dataSync()[0];
    expect(pick(scores, dead)).toBe(0);
    expect(pick(output, tf.reshape(dead, [B, T, 1, 1]))).toBe(0);
    const grads = tf.grads(((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      tf.sum(dotProductAttention(q, k, v, { mask: rows }))) as never)([q, k, v]);
    expect(pick(grads[0], tf.reshape(dead, [B, T, 1, 1]))).toBe(0);
    for (const gradient of grads) expect(tf.isNaN(gradient).any().dataSync()[0]).toBe(0);
    // the second batch row has no live query at all, so nothing flows into its keys and values
    for (const gradient of grads.slice(1))
      expect(tf.max(tf.abs(gradient.slice([1], [1]))).dataSync()[0]).toBe(0);
  });

  test('no gradient flows from an early query to a later key', () => {
    const [, k, v] = inputs();
    const q = tf.randomNormal([B, S, N, H], 0, 1, 'float32', 5);
    for (let i = 0; i < S; i++) {
      const f = (k: tf.Tensor, v: tf.Tensor): tf.Scalar =>
        tf.sum(dotProductAttention(q, k, v, { causal: true }).slice([0, i], [B, 1]));
      const [dk, dv] = tf.grads(f as never)([k, v]);
      for (const gradient of i + 1 < S ? [dk, dv] : []) {
        expect(tf.max(tf.abs(gradient.slice([0, i + 1]))).dataSync()[0]).toBe(0);
      }
      expect(tf.min(tf.abs(dv.slice([0, 0], [B, i + 1]))).dataSync()[0]).toBeGreaterThan(0);
    }
  });

  test('causality, offset and window say what their masks say', () => {
    fc.assert(
      fc.property(
        fc.record({
          T: fc.integer({ min: 1, max: 7 }),
          S: fc.integer({ min: 1, max: 11 }),
          offset: fc.integer({ min: 0, max: 9 }),
          window: fc.option(fc.integer({ min: 1, max: 6 })),
          causal: fc.boolean(),
        }),
        ({ T, S, offset, window, causal }) => {
          tf.tidy(() => {
            const q = tf.randomNormal([1, T, 2, 3]);
            const k = tf.randomNormal([1, S, 2, 3]);
            const parts = [tf.ones([1, 1, T, S])];
            if (causal) parts.push(masks.causal(T, S, offset) as never);
            if (window !== null) parts.push(masks.slidingWindow(T, S, window, offset) as never);
            expectClose(
              dotProductAttention(q, k, k, { causal, offset, window }),
              dotProductAttention(q, k, k, { mask: masks.and(...parts) }),
            );
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('keyLength is a slice of key and value, forward and backward, scores included', () => {
    const [q, k, v] = inputs();
    const mask = tf.tensor4d([1, 1, 0, 1, 1, 0, 1, 1, 1, 1], [B, 1, 1, 5]);
    const bias = tf.randomNormal([1, N, T, 5], 0, 1, 'float32', 4);
    const rest = { mask, bias, causal: true, offset: 1 };
    const options = { ...rest, keyLength: 5 };
    const cut = (x: tf.Tensor): tf.Tensor => tf.slice(x, [0, 0], [-1, 5]);
    const whole = dotProductAttention(q, k, v, { ...options, returnScores: true });
    const sliced = dotProductAttention(q, cut(k), cut(v), { ...rest, returnScores: true });
    expectClose(whole.output, sliced.output);
    expectClose(whole.scores, sliced.scores);
    const square = (x: tf.Tensor): tf.Scalar => tf.sum(tf.square(x));
    const actual = tf.grads(((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      square(dotProductAttention(q, k, v, options))) as never)([q, k, v]);
    const expected = tf.grads(((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      square(dotProductAttention(q, cut(k), cut(v), rest))) as never)([q, k, v]);
    actual.forEach((gradient, i) => expectClose(gradient, expected[i]));
    for (const gradient of actual.slice(1))
      expect(tf.max(tf.abs(gradient.slice([0, 5]))).dataSync()[0]).toBe(0);
  });

  describe('dropout', () => {
    test('acts only in training, repeats with its seed, and leaves the returned scores alone', () => {
      const [q, k, v] = inputs();
      const plain = dotProductAttention(q, k, v, { returnScores: true });
      const options = { dropout: 0.4, seed: 7 };
      expectIdentical(dotProductAttention(q, k, v, options), dotProductAttention(q, k, v));
      const once = dotProductAttention(q, k, v, { ...options, training: true, returnScores: true });
      const dropped = dotProductAttention(q, k, v, { ...options, training: true });
      expectIdentical(dotProductAttention(q, k, v, { ...options, training: true }), dropped);
      expectClose(dropped, once.output); // by a kernel and by the reference, which alone returns scores
      expectIdentical(once.scores, plain.scores);
      expect(tf.max(tf.abs(tf.sub(once.output, plain.output))).dataSync()[0]).toBeGreaterThan(0.01);
    });

    test('keeps the mean', () => {
      const q = tf.zeros([1, 1, 1, 3]);
      const k = tf.zeros([1, 20_000, 1, 3]);
      const v = tf.ones([1, 20_000, 1, 1]);
      const out = dotProductAttention(q, k, v, { dropout: 0.3, seed: 1, training: true });
      expectClose(out, [[[[1]]]], { atol: 0.02 });
    });
  });

  test('leaves no tensors behind', () => {
    const [q, k, v] = inputs();
    const mask = tf.ones([B, 1, 1, S]);
    const bias = tf.zeros([1, N, T, S]);
    const options = {
      mask,
      bias,
      causal: true,
      window: 3,
      softCap: 5,
      dropout: 0.1,
      seed: 3,
      training: true,
    };
    expectNoLeak(() => dotProductAttention(q, k, v, options));
    expectNoLeak(() => ({ ...dotProductAttention(q, k, v, { ...options, returnScores: true }) }));
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, bias: tf.Tensor): tf.Scalar =>
      tf.sum(dotProductAttention(q, k, v, { ...options, bias }));
    expectNoLeak(() => tf.grads(f as never)([q, k, v, bias]));
  });

  describe('bad input is named', () => {
    const call =
      (options: object, K = N) =>
      (): unknown => {
        const [q, k, v] = inputs(K);
        return dotProductAttention(q, k, v, options);
      };
    test.each([
      [
        { window: 0 },
        'dotProductAttention: window must be an integer of at least 1, got window=0.',
      ],
      [{ offset: -1 }, 'offset must be an integer of at least 0'],
      [{ dropout: 1 }, 'dropout must be at least 0 and less than 1, got dropout=1.'],
      [{ softCap: 0 }, 'softCap must be above 0'],
      [{ scale: NaN }, 'scale must be a finite number'],
      [{ keyLength: 8 }, 'keyLength must be an integer between 1 and 7, got keyLength=8.'],
      [{ keyLength: 0 }, 'keyLength must be an integer between 1 and 7'],
      [{ isCausal: true }, "unknown option 'isCausal'"],
    ])('%j', (options, text) => {
      expect(call(options)).toThrow(text);
    });

    test('what is no tensor, or of another type', () => {
      const [q, k, v] = inputs();
      expect(call({ mask: [[1]] })).toThrow(
        'dotProductAttention: mask must be a tensor, got mask=[[1]].',
      );
      expect(call({ mask: tf.tensor(['yes']) })).toThrow(
        'dotProductAttention: mask must be float32, int32 or bool, got dtype=string.',
      );
      expect(() => dotProductAttention([[1]] as never, k, v)).toThrow(
        'query must be a tensor, got query=[[1]].',
      );
      expect(() => dotProductAttention(q.toInt(), k, v)).toThrow(
        'query must be float32, got dtype=int32.',
      );
    });

    test('shapes', () => {
      expect(call({}, 2)).toThrow(
        'number of query heads must be a multiple of the key/value heads, got N=3, K=2.',
      );
      const [q, k, v] = inputs();
      expect(() => dotProductAttention(q.squeeze().reshape([B, T, N * H]), k, v)).toThrow(
        'query must have rank 4',
      );
      expect(() => dotProductAttention(q, k, k.slice([0, 1]))).toThrow(
        'same length and number of heads',
      );
      expect(call({ mask: tf.ones([B, S + 1]) })).toThrow(
        'mask must be broadcastable to [B,N,T,S]=[2,3,5,7]',
      );
      expect(() => dotProductAttention(q, k, v, { mask: tf.ones([B, S]) })).toThrow(
        'For a padding mask [B,S]',
      );
      expect(() => dotProductAttention(q, k, v, { mask: tf.ones([B, T, S]) })).toThrow(
        'Reshape [B,T,S] to [B,1,T,S]',
      );
      expect(() => dotProductAttention(q, k, v, { bias: tf.ones([T, S], 'bool') })).toThrow(
        'bias must be float32',
      );
    });
  });
});
