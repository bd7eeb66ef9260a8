import * as tf from '@tensorflow/tfjs';
import { broadcastShape, normalizeAxes, sumToAxes } from '../../src/util/axes.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { randomTensor } from '../support/check_directional.js';
import { expectClose } from '../support/expect_close.js';

test('axes are counted from the front, in ascending order', () => {
  expect(normalizeAxes('f', -1, 3)).toEqual([2]);
  expect(normalizeAxes('f', [-1, 0], 3)).toEqual([0, 2]);
  expect(() => normalizeAxes('f', [], 3)).toThrow('f: axis must name at least one axis');
  expect(() => normalizeAxes('f', [0, -3], 3)).toThrow('none twice, got axis=[0,-3].');
  expect(() => normalizeAxes('f', 3, 3)).toThrow('f: axis must be an integer between -3 and 2');
  expect(broadcastShape([2, 3, 5], [0, 2])).toEqual([2, 1, 5]);
});

describeBackends('sumToAxes', () => {
  test.each<[number[], number[]]>([
    [[2], [0, 1]],
    [[1, 2], [0]],
    [[0, 1, 2], []],
    [[1], [0, 2]],
    [[0, 2], [1]],
    [[0], [1, 2]],
  ])('keeping axes %j sums over %j', (kept, summed) => {
    const x = randomTensor([3, 5, 7], 1);
    expectClose(sumToAxes(x, kept), summed.length > 0 ? tf.sum(x, summed) : x);
    expectNoLeak(() => sumToAxes(x, kept));
  });
});
