/**
 * The affine map y = activation(x·W + b) on flattened rows, and its gradient. With dz = dy·activation′(z):
 *
 *     dx = dz·Wᵀ,  dW = xᵀ·dz,  db = Σ dz
 *
 * Several maps of the same x have one gradient in x: the products of dz₀|dz₁|… with W₀|W₁|…, side by side.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '../../ops/activation.js';
import { sizeOf } from '../../util/shapes.js';
import { kinds } from './activation.js';
import type { KernelCall, WasmKernel } from './kernel.js';
import { matmul } from './matmul.js';
import { withNonzeroRows } from './nonzero_rows.js';

/** `TransformersLinear`, `TransformersGeneralLinear`, their variants without bias, and the gradients of all. */
export const linearKernels: WasmKernel[] = ['Linear', 'GeneralLinear'].flatMap((name) =>
  ['', 'NoBias'].flatMap((variant) => [
    { name: `Transformers${name}${variant}`, run: forward },
    { name: `Transformers${name}${variant}Grad`, run: backward },
  ]),
);

/** What the general kernel is told; the plain one has one input axis and nothing else. */
interface Attributes {
  inputAxes?: number;
  activation?: Activation;
  transposeKernel?: boolean;
  slope?: boolean;
}

/** One of the maps of a gradient. */
export interface MapGradient {
  /** W; its first axes are the last of x. */
  kernel: tf.TensorInfo;
  /** b, where there is one. */
  bias: tf.TensorInfo | undefined;
  /** Gradient of the output; none means 0. */
  dy: tf.TensorInfo | undefined;
  /** activation′(z), where there is an activation. */
  slope: tf.TensorInfo | undefined;
}

/**
 * x·W + b.
 *
 * @param call The kernel's call, with input `x`.
 * @param kernel W, [...D, ...E], or [E, D] where transposed.
 * @param bias b, [...E], or none.
 * @param inputAxes How many of the kernel's axes are the last ones of x; 1 by default.
 * @param transposeKernel Whether W lies transposed; false by default.
 * @returns [..., ...E].
 */
export function affine(
  call: KernelCall,
  kernel: tf.TensorInfo,
  bias: tf.TensorInfo | undefined,
  inputAxes = 1,
  transposeKernel = false,
): tf.TensorInfo {
  const { x } = call.inputs;
  const to = transposeKernel ? [kernel.shape[0]] : kernel.shape.slice(inputAxes);
  const axes = x.shape.length - inputAxes;
  const y = call.output([...x.shape.slice(0, axes), ...to]);
  matmul(call, {
    ...{ a: call.pointer(x), b: call.pointer(kernel), c: call.pointer(y) },
    ...{ m: sizeOf(x.shape.slice(0, axes)), n: sizeOf(to), k: sizeOf(x.shape.slice(axes)) },
    ...{ transposeB: transposeKernel, bias: call.pointer(bias) },
  });
  return y;
}

/** y and, where it is asked for, activation′ for the gradient. */
function forward(call: KernelCall): tf.TensorInfo | tf.TensorInfo[] {
  const { kernel, bias } = call.inputs;
  const { inputAxes, activation = 'linear', transposeKernel, slope } = call.attrs as Attributes;
  const y = affine(call, kernel, bias, inputAxes, transposeKernel);
  if (activation === 'linear') return y;
  const [at, kind, size] = [call.pointer(y), kinds[activation], sizeOf(y.shape)];
  if (!slope) {
    call.exports.activationArray(kind, at, at, size);
    return y;
  }
  const slopes = call.output(y.shape);
  call.exports.activationAndSlopes(kind, at, at, call.pointer(slopes), size);
  return [y, slopes];
}

function backward(call: KernelCall): tf.TensorInfo[] {
  const { dy, kernel, bias, residual0: slope } = call.inputs;
  const { inputAxes, transposeKernel } = call.attrs as Attributes;
  return gradients(call, [{ kernel, bias, dy, slope }], inputAxes, transposeKernel);
}

/**
 * Gradients of maps of one x.
 *
 * @param call The kernel's call, with input `x`.
 * @param maps The maps.
 * @param inputAxes How many last axes of x the maps take; 1 by default.
 * @param transposeKernel Whether W lies transposed, false by default; then there is one map.
 * @returns dx and, map by map, dW and, where there is a bias, db.
 */
export function gradients(
  call: KernelCall,
  maps: readonly MapGradient[],
  inputAxes = 1,
  transposeKernel = false,
): tf.TensorInfo[] {
  const { exports } = call;
  const { x } = call.inputs;
  const axes = x.shape.length - inputAxes;
  const [rows, D] = [sizeOf(x.shape.slice(0, axes)), sizeOf(x.shape.slice(axes))];
  const widths = maps.map(({ kernel }) =>
    transposeKernel ? kernel.shape[0] : sizeOf(kernel.shape.slice(inputAxes)),
  );
  const E = widths.reduce((a, b) => a + b);
  const starts = widths.map((_, i) => 4 * widths.slice(0, i).reduce((a, b) => a + b, 0));
  const dx = call.output(x.shape);
  const weights = maps.map(({ kernel, bias }) => ({
    dW: call.output(kernel.shape),
    db: bias && call.output(bias.shape),
  }));
  const [atX, atDx] = [call.pointer(x), call.pointer(dx)];

  /** From m rows of x and of all dz side by side. */
  const multiply = (m: number, x: number, dz: number, kernel: number, dx: number): void => {
    matmul(call, { a: dz, b: kernel, c: dx, m, n: D, k: E, transposeB: !transposeKernel });
    weights.forEach(({ dW }, i) => {
      const c = call.pointer(dW);
      if (transposeKernel) matmul(call, { a: dz, b: x, c, m: E, n: D, k: m, transposeA: true });
      else {
        const [b, strideB] = [dz + starts[i], 4 * E];
        matmul(call, { a: x, b, strideB, c, m: D, n: widths[i], k: m, transposeA: true });
      }
    });
    if (weights.some(({ db }) => db)) {
      call.withScratch(4 * E, (sums) => {
        exports.columnSums(dz, m, E, sums);
        weights.forEach(({ db }, i) => {
          if (db) exports.copyRows(sums + starts[i], call.pointer(db), 1, 4 * widths[i], 0, 0);
        });
      });
    }
  };

  const dys = maps.map(({ dy }) => dy);
  withNonzeroRows(call, dys, widths, rows, (list, m) => {
    const [first, ...others] = maps;
    const joins = others.length > 0;
    if (!list && !joins && !first.slope) {
      multiply(rows, atX, call.pointer(first.dy), call.pointer(first.kernel), atDx);
      return;
    }
    const ownRows = list ? m : 0;
    call.withScratch(4 * (m * E + 2 * ownRows * D + (joins ? D * E : 0)), (dz) => {
      const ownX = dz + 4 * m * E;
      const ownDx = ownX + 4 * ownRows * D;
      const joined = ownDx + 4 * ownRows * D;
      maps.forEach(({ dy, slope, kernel }, i) => {
        const [width, at] = [widths[i], dz + starts[i]];
        if (dy)
          exports.gatherRows(call.pointer(dy), call.pointer(slope), list, m, width, at, 4 * E);
        else exports.clearRows(at, m, 4 * width, 4 * E);
        const from = call.pointer(kernel);
        if (joins) exports.gatherRows(from, 0, 0, D, width, joined + starts[i], 4 * E);
      });
      const kernel = joins ? joined : call.pointer(first.kernel);
      if (!list) {
        multiply(rows, atX, dz, kernel, atDx);
        return;
      }
      exports.gatherRows(atX, 0, list, m, D, ownX, 4 * D);
      multiply(m, ownX, dz, kernel, ownDx);
      exports.scatterRows(ownDx, list, m, D, atDx, rows);
    });
  });
  return [dx, ...weights.flatMap(({ dW, db }) => (db ? [dW, db] : [dW]))];
}
