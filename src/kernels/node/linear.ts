/** Affine maps: one product forward, two backward, none of them with a transposed copy; bias and activation with it. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../../ops/activation.js';
import { sizeOf } from '../../util/shapes.js';
import { activation } from './activation.js';
import type { Inputs, NodeCall, NodeKernel } from './kernel.js';

/** `TransformersLinear`, `TransformersGeneralLinear`, with and without bias, and their gradients. */
export const linearKernels: NodeKernel[] = ['Linear', 'GeneralLinear'].flatMap((name) =>
  ['', 'NoBias'].flatMap((bias) => [
    { name: `Transformers${name}${bias}`, variant, run: forward },
    { name: `Transformers${name}${bias}Grad`, run: backward },
  ]),
);

/** What the general kernel is told; the plain one has one input axis and nothing else. */
interface Attributes {
  inputAxes?: number;
  activation?: Activation;
  /** Whether the kernel is [E, D]. */
  transposeKernel?: boolean;
  /** Whether the slope of the activation is a residual. */
  slope?: boolean;
}

function variant(inputs: Inputs, attrs: tf.NamedAttrMap): string {
  return `${(attrs as Attributes).activation} ${sizesOf(inputs, attrs).M === 1}`;
}

/** The matrices that x [..., ...D] and the kernel [...D, ...E] are, [M, D] and [D, E]; and the axes that E stands for. */
function sizesOf({ x, kernel }: Inputs, attrs: tf.NamedAttrMap) {
  const { inputAxes = 1, transposeKernel = false } = attrs as Attributes;
  const lead = x.shape.slice(0, x.shape.length - inputAxes);
  const to = transposeKernel ? kernel.shape.slice(0, 1) : kernel.shape.slice(inputAxes);
  const D = sizeOf(x.shape.slice(x.shape.length - inputAxes));
  const E = sizeOf(to);
  return { M: sizeOf(lead), D, E, lead, to, matrix: transposeKernel ? [E, D] : [D, E] };
}

function forward(call: NodeCall): tf.TensorInfo[] {
  const { x, kernel, bias } = call.inputs;
  const { activation: name = 'linear', transposeKernel = false, slope = false } = call.attrs as Attributes; // prettier-ignore
  const { M, D, E, lead, to, matrix } = sizesOf(call.inputs, call.attrs);
  const feeds = {
    ...{ x, kernel, matrix, rows: [M, D], shape: [...lead, ...to] },
    ...(bias ? { bias, flat: [E] } : {}),
  };
  const key = `linear ${!!bias} ${name} ${transposeKernel} ${slope} ${M === 1}`;
  return call.graph(key, feeds, (g, i) => {
    const [rows, matrix] = [g.reshape(i.x, i.rows), g.reshape(i.kernel, i.matrix)];
    const product = g.affine(rows, matrix, M, transposeKernel);
    const z = bias ? g.op('BiasAdd', [product, g.reshape(i.bias, i.flat)]) : product;
    return activation(g, z, name, slope).map((value) => g.reshape(value, i.shape));
  });
}

/** With dz = dy·slope: dx = dz·Wᵀ, dW = xᵀ·dz, db = Σ dz. */
function backward(call: NodeCall): tf.TensorInfo[] {
  const { dy, x, kernel, bias, residual0: slope } = call.inputs;
  const { transposeKernel = false } = call.attrs as Attributes;
  const { M, D, E, matrix } = sizesOf(call.inputs, call.attrs);
  const feeds = {
    ...{ dy, x, kernel, matrix, rows: [M, D], dyRows: [M, E] },
    ...{ shape: x.shape, kernelShape: kernel.shape },
    ...(bias ? { biasShape: bias.shape } : {}),
    ...(slope ? { slope } : {}),
  };
  return call.graph(`linearGrad ${!!bias} ${transposeKernel} ${!!slope}`, feeds, (g, i) => {
    const rows = g.reshape(i.x, i.rows);
    const dz = g.reshape(slope ? g.mul(i.dy, i.slope) : i.dy, i.dyRows);
    const dx = g.matMul(dz, g.reshape(i.kernel, i.matrix), false, !transposeKernel);
    const dKernel = transposeKernel ? g.matMul(dz, rows, true) : g.matMul(rows, dz, true);
    const gradients = [g.reshape(dx, i.shape), g.reshape(dKernel, i.kernelShape)];
    return bias ? [...gradients, g.reshape(g.op('BiasAddGrad', [dz]), i.biasShape)] : gradients;
  });
}
