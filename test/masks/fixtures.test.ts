/** Masks that PyTorch's cases were made with. */
import * as tf from '@tensorflow/tfjs';
import * as masks from '../../src/masks/index.js';
import { describeBackends } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';
import { loadFixtures } from '../support/fixtures.js';

const cases = new Map(loadFixtures('attention').map((c) => [c.name, c]));

/** Cases that are told by causal, offset and window alone. */
const bands = [...cases.values()].filter(
  (c) =>
    c.has('effective_mask') &&
    c.parameters.padding === null &&
    (c.parameters.causal || c.parameters.window !== null) &&
    c.array('effective_mask').shape[0] === 1,
);

describeBackends('masks of the attention fixtures', () => {
  test.each(bands.map((c) => [c.name, c] as const))('%s', (_, c) => {
    tf.tidy(() => {
      const { T, S, causal, window, query_offset: offset } = c.parameters;
      const mask = masks.and(
        ...(causal ? [masks.causal(T, S, offset)] : []),
        ...(window === null ? [] : [masks.slidingWindow(T, S, window, offset)]),
      );
      expectIdentical(mask, c.array('effective_mask'));
    });
  });

  test('the cases above are not too few', () => {
    const names = bands.map((c) => c.name);
    for (const name of [
      'sliding_window_causal',
      'sliding_window_long',
      'causal_T_less_than_S',
      'cached_decode_window',
    ])
      expect(names).toContain(name);
  });

  test('prefix_lm', () => {
    const c = cases.get('prefix_lm')!;
    tf.tidy(() => {
      expectIdentical(
        masks.prefix(c.tensor('prefix_lengths'), c.parameters.T),
        c.array('effective_mask'),
      );
    });
  });

  test('packed_segments = segments and causal', () => {
    const c = cases.get('packed_segments')!;
    tf.tidy(() => {
      const mask = masks.and(masks.segments(c.tensor('segment_ids')), masks.causal(c.parameters.T));
      expectIdentical(mask, c.array('effective_mask'));
    });
  });
});
