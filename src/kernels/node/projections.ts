/** Several affine maps of one input, in one graph: the gradient of the input is summed inside it. */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import type { NodeCall, NodeKernel } from './kernel.js';
import type { Feed } from './session.js';

/** `TransformersProjections` and its gradient. */
export const projectionsKernels: NodeKernel[] = [
  {
    name: 'TransformersProjections',
    variant: ({ x }) => String(sizeOf(x.shape.slice(0, -1)) === 1),
    run: forward,
  },
  { name: 'TransformersProjectionsGrad', run: backward },
];

/** Rows of x, and of each map its number, its width, and whether it has a bias. */
function sizesOf({ inputs, attrs }: NodeCall) {
  const { x } = inputs;
  const lead = x.shape.slice(0, -1);
  const maps = Array.from({ length: attrs.count as number }, (_, n) => {
    const to = inputs[`kernel${n}`].shape.slice(1);
    return { n, to, E: sizeOf(to), biased: `bias${n}` in inputs };
  });
  return { lead, M: sizeOf(lead), D: x.shape[lead.length], maps };
}

function forward(call: NodeCall): tf.TensorInfo[] {
  const { lead, M, D, maps } = sizesOf(call);
  const feeds: Record<string, Feed> = { ...call.inputs, rows: [M, D] };
  for (const { n, to, E, biased } of maps) {
    Object.assign(feeds, { [`matrix${n}`]: [D, E], [`shape${n}`]: [...lead, ...to] });
    if (biased) feeds[`flat${n}`] = [E];
  }
  return call.graph(
    `projections ${maps.map(({ biased }) => biased).join()} ${M === 1}`,
    feeds,
    (g, i) => {
      const x = g.reshape(i.x, i.rows);
      return maps.map(({ n, biased }) => {
        const product = g.affine(x, g.reshape(i[`kernel${n}`], i[`matrix${n}`]), M);
        const y = biased
          ? g.op('BiasAdd', [product, g.reshape(i[`bias${n}`], i[`flat${n}`])])
          : product;
        return g.reshape(y, i[`shape${n}`]);
      });
    },
  );
}

function backward(call: NodeCall): tf.TensorInfo[] {
  const { M, D, maps } = sizesOf(call);
  const { inputs } = call;
  const { x } = inputs;
  const feeds: Record<string, Feed> = { x, rows: [M, D], shape: x.shape };
  for (const { n, E, biased } of maps) {
    Object.assign(feeds, { [`matrix${n}`]: [D, E], [`dRows${n}`]: [M, E] });
    const kernel = inputs[`kernel${n}`];
    Object.assign(feeds, { [`kernel${n}`]: kernel, [`kernelShape${n}`]: kernel.shape });
    const bias = inputs[`bias${n}`];
    if (biased) Object.assign(feeds, { [`bias${n}`]: bias, [`biasShape${n}`]: bias.shape });
    const dy = inputs[`dy${n}`];
    if (dy) feeds[`dy${n}`] = dy;
  }
  const used = maps.map(({ n }) => `dy${n}` in feeds);
  const key = `projectionsGrad ${maps.map(({ biased }) => biased).join()} ${used.join()}`;
  return call.graph(key, feeds, (g, i) => {
    const x = g.reshape(i.x, i.rows);
    const gradients = maps.map(({ n, biased }) => {
      const [kernel, bias] = [i[`kernel${n}`], i[`bias${n}`]];
      // An output that nobody used has no gradient to give.
      if (!used[n]) return { of: [kernel, ...(biased ? [bias] : [])].map((w) => g.zerosLike(w)) };
      const dy = g.reshape(i[`dy${n}`], i[`dRows${n}`]);
      const dKernel = g.reshape(g.matMul(x, dy, true, false), i[`kernelShape${n}`]);
      const dBias = biased ? [g.reshape(g.op('BiasAddGrad', [dy]), i[`biasShape${n}`])] : [];
      const part = g.matMul(dy, g.reshape(kernel, i[`matrix${n}`]), false, true);
      return { of: [dKernel, ...dBias], part };
    });
    const parts = gradients.flatMap(({ part }) => (part === undefined ? [] : [part]));
    return [g.reshape(g.addN(parts), i.shape), ...gradients.flatMap(({ of }) => of)];
  });
}
