/**
 * The one place that decides how an operation runs: by the kernel that is registered for the current backend, or by
 * its reference, composed of plain TensorFlow.js operations.
 *
 * A kernel is looked up in TensorFlow.js' own registry by name, so operations never import kernels. It comes in a
 * pair: `Name` computes `[output, ...residuals]`, `NameGrad` takes the gradient of the output as `dy`, the inputs that it
 * needs by their names and the residuals as `residual0`, `residual1`, …, and returns one gradient for each differentiable
 * input, in order. An operation that says so gets its `output` there too. Two signatures of one operation (with and without a bias, say) are two kernel names.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';

/** How operations are to run: `auto` takes a kernel where there is one; the others force one side. */
export type Path = 'auto' | 'reference' | 'kernel';

/** What `dispatch` needs to know about one call of an operation. */
export interface Operation {
  /** Name of the kernel, for example `TransformersLayerNorm`. */
  kernel: string;
  /** All tensors that the kernel takes, by name. */
  inputs: Record<string, tf.Tensor>;
  /** Names of those that gradients flow into, in the order in which `NameGrad` returns them. */
  differentiable: string[];
  /** Numbers, strings and booleans that the kernel takes. */
  attrs?: tf.NamedAttrMap;
  /** Names of the inputs that `NameGrad` takes; the others are not kept for it. All by default. */
  gradientInputs?: string[];
  /** Whether `NameGrad` takes the output too, as `output`. Default false: it may be freed before the backward pass. */
  gradientTakesOutput?: boolean;
  /** The same computation in plain operations; differentiable by the tape. */
  reference: () => tf.Tensor;
}

/**
 * What a kernel is registered with: TensorFlow.js' own configuration, which keeps further properties as they are. So
 * what a kernel can run is known wherever the kernel is, in a second copy of this package too (ESM beside CommonJS).
 */
export interface RestrictedKernel extends tf.KernelConfig {
  /** Says whether it can run on these inputs; where it cannot, the reference runs. Default: always. */
  supports?: (inputs: Record<string, tf.TensorInfo>, attrs: tf.NamedAttrMap) => boolean;
}

let path: Path = 'auto';

/**
 * Runs a function with operations forced to one side; for tests and benchmarks.
 *
 * @param forced `reference` never looks for a kernel, `kernel` throws where there is none, `auto` is the normal way.
 * @param body Synchronous function.
 * @returns What `body` returns.
 */
export function forcePath<T>(forced: Path, body: () => T): T {
  const before = path;
  path = forced;
  try {
    return body();
  } finally {
    path = before;
  }
}

/**
 * Runs an operation by its kernel where the current backend has one that supports the call, else by its reference.
 *
 * @param operation The call.
 * @returns The output.
 * @throws Error when the path is forced to `kernel` and there is none.
 */
export function dispatch(operation: Operation): tf.Tensor {
  const { kernel, inputs, attrs = {}, reference } = operation;
  return usesKernel(kernel, inputs, attrs) ? runKernel(operation, attrs) : reference();
}

/**
 * Decides for one call, as `dispatch` does. For operations that are no function from tensors to one tensor and run
 * their kernel themselves.
 *
 * @param kernel Name of the kernel.
 * @param inputs All tensors that it takes, by name.
 * @param attrs Numbers, strings and booleans that it takes.
 * @returns Whether it is there, supports the call, and is not to be passed over.
 * @throws Error when the path is forced to `kernel` and there is none.
 */
export function usesKernel(
  kernel: string,
  inputs: Record<string, tf.Tensor>,
  attrs: tf.NamedAttrMap,
): boolean {
  if (path === 'reference') return false;
  const backend = tf.getBackend();
  const registered = tf.getKernel(kernel, backend) as RestrictedKernel | undefined;
  const usable = registered !== undefined && (registered.supports?.(inputs, attrs) ?? true);
  assert(
    usable || path !== 'kernel',
    () =>
      `dispatch: no kernel ${kernel} for this call on backend '${backend}'. Import the entry that registers it.`,
  );
  return usable;
}

/** Output and gradient by the kernel pair, as one node of the tape; the output alone where there is no tape. */
function runKernel(operation: Operation, attrs: tf.NamedAttrMap): tf.Tensor {
  const { kernel, inputs, differentiable, gradientTakesOutput = false } = operation;
  if (tf.engine().state.gradientDepth === 0) {
    const [output, ...residuals] = asArray(tf.engine().runKernel(kernel, inputs, attrs));
    tf.dispose(residuals);
    return output;
  }
  const names = operation.gradientInputs ?? Object.keys(inputs);
  const node = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const outputs = asArray(tf.engine().runKernel(kernel, inputs, attrs));
    const [output, ...residuals] = outputs;
    const kept = gradientTakesOutput ? [...residuals, output] : residuals;
    save([...names.map((name) => inputs[name]), ...kept]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const gradInputs: Record<string, tf.Tensor> = { dy };
      names.forEach((name, i) => (gradInputs[name] = saved[i]));
      residuals.forEach((_, i) => (gradInputs[`residual${i}`] = saved[names.length + i]));
      if (gradientTakesOutput) gradInputs.output = saved[saved.length - 1];
      return asArray(tf.engine().runKernel(`${kernel}Grad`, gradInputs, attrs));
    };
    return { value: output, gradFunc };
  });
  return node(...differentiable.map((name) => inputs[name]));
}

function asArray(result: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(result) ? result : [result];
}
