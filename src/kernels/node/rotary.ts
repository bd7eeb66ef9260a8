/** Rotary positions: the two halves of the turned features, and what is left as it is. */
import type * as tf from '@tensorflow/tfjs-core';
import { nth } from './graph.js';
import type { NodeCall, NodeKernel } from './kernel.js';

/** `TransformersRotary` and its gradient, which turns the other way. */
export const rotaryKernels: NodeKernel[] = [
  { name: 'TransformersRotary', run: (call) => rotate(call, call.inputs.x, false) },
  { name: 'TransformersRotaryGrad', run: (call) => rotate(call, call.inputs.dy, true) },
];

function rotate(call: NodeCall, x: tf.TensorInfo, backwards: boolean): tf.TensorInfo[] {
  const { cos, sin } = call.inputs;
  const R = call.attrs.rotaryDim as number;
  const rest = x.shape[x.shape.length - 1] - R;
  const sizes = rest > 0 ? [R / 2, R / 2, rest] : [R / 2, R / 2];
  const key = `rotary ${sizes.join()} ${backwards}`;
  return call.graph(key, { x, cos, sin }, (g, i) => {
    const split = { T: { type: 'float32' }, Tlen: { type: 'int32' } } as const;
    const axis = g.constant(-1, 'int32');
    const x1 = g.op('SplitV', [i.x, g.constant(sizes, 'int32'), axis], {
      ...split,
      num_split: { integer: sizes.length },
    });
    const x2 = nth(x1, 1);
    const [plus, minus] = backwards ? ['Sub', 'AddV2'] : ['AddV2', 'Sub'];
    const first = g.op(minus, [g.mul(x1, i.cos), g.mul(x2, i.sin)]);
    const second = g.op(plus, [g.mul(x2, i.cos), g.mul(x1, i.sin)]);
    const parts = rest > 0 ? [first, second, nth(x1, 2)] : [first, second];
    return [
      g.op('ConcatV2', [...parts, axis], {
        T: { type: 'float32' },
        N: { integer: parts.length },
        Tidx: { type: 'int32' },
      }),
    ];
  });
}
