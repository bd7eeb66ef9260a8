/**
 * Transposition, in place of TensorFlow.js' own, which moves an element at a time by dividing its index.
 *
 * Axes that stay together are one axis. Then either the innermost axis stays, and runs of it are copied, or the
 * innermost axis of the input and that of the output span matrices, which are transposed by blocks of 4×4.
 */
import { sizeOf } from '../../util/shapes.js';
import type { KernelCall, WasmKernel } from './kernel.js';

/** An axis as both sides see it. */
interface Axis {
  size: number;
  /** Bytes between neighbours in the input. */
  x: number;
  /** Bytes between neighbours in the output. */
  y: number;
}

/** `Transpose` of TensorFlow.js, for `accelerate`. Types of other sizes than 4 bytes are left to its own kernel. */
export const transposeKernels: WasmKernel[] = [
  {
    name: 'Transpose',
    supports: ({ x }) => x.dtype === 'float32' || x.dtype === 'int32',
    run: (call) => {
      const { x } = call.inputs;
      const perm = call.attrs.perm as number[];
      const shape = perm.map((axis) => x.shape[axis]);
      const axes = sizeOf(shape) > 0 ? axesOf(x.shape, perm) : [];
      if (axes.length < 2) {
        call.backend.incRef(x.dataId);
        return { dataId: x.dataId, shape, dtype: x.dtype };
      }
      const y = call.output(shape, x.dtype);
      move(call, axes, call.pointer(x), call.pointer(y));
      return y;
    },
  },
];

/**
 * The axes of the output from the innermost on, those of size 1 left out and those that stay together made one: an axis
 * whose neighbours lie as far apart in the input as the axis inside it is long goes on where that one ends.
 */
function axesOf(shape: readonly number[], perm: readonly number[]): Axis[] {
  const steps: number[] = [];
  for (let axis = shape.length - 1, step = 4; axis >= 0; step *= shape[axis--]) steps[axis] = step;
  const axes: Axis[] = [];
  for (let i = perm.length - 1, y = 4; i >= 0; i--) {
    const size = shape[perm[i]];
    if (size === 1) continue;
    const inner = axes[axes.length - 1] as Axis | undefined;
    if (inner && steps[perm[i]] === inner.x * inner.size) inner.size *= size;
    else axes.push({ size, x: steps[perm[i]], y });
    y *= size;
  }
  return axes;
}

const ONE: Axis = { size: 1, x: 0, y: 0 };

/** Moves everything that axes span from one place to another. */
function move(call: KernelCall, axes: Axis[], x: number, y: number): void {
  const [last] = axes;
  const columns = axes.find((axis) => axis.x === 4)!;
  const outer = axes.filter((axis) => axis !== last && axis !== columns);
  if (outer.length > 3) {
    const first = outer[outer.length - 1];
    const rest = axes.filter((axis) => axis !== first);
    for (let i = 0; i < first.size; i++) move(call, rest, x + i * first.x, y + i * first.y);
    return;
  }
  const [c, b = ONE, a = ONE] = outer.length > 0 ? outer : [ONE];
  const where = [x, y, a.size, b.size, c.size, a.x, b.x, c.x, a.y, b.y, c.y] as const;
  if (last === columns) call.exports.copyRuns(...where, 4 * last.size);
  else call.exports.transposeMatrices(...where, last.size, columns.size, last.x, columns.y);
}
