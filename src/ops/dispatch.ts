/**
 * The one place that decides how an operation runs: by the kernel that is registered for the current backend, or by
 * its reference, composed of plain TensorFlow.js operations.
 *
 * A kernel is looked up in TensorFlow.js' own registry by name, so operations never import kernels. It comes in a
 * pair: `Name` computes `[output, ...residuals]`, `NameGrad` takes the gradient of the output as `dy`, the inputs that it
 * needs by their names and the residuals as `residual0`, `residual1`, …, and returns one gradient for each differentiable
 * input, in order. An operation that says so gets its `output` there too. Two signatures of one operation (with and
 * without a bias, say) are two kernel names.
 *
 * A kernel with several outputs returns them first, and its `NameGrad` takes `dy0`, `dy1`, …; one that is missing is 0.
 */
import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { handle } from '../util/handle.js';

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
  /** Whether `NameGrad` takes the (first) output too, as `output`. Default false: it may be freed before the backward pass. */
  gradientTakesOutput?: boolean;
  /** The same computation in plain operations; differentiable by the tape. */
  reference: () => tf.Tensor;
}

/** One call of an operation with several outputs. */
export interface JointOperation extends Omit<Operation, 'reference'> {
  /** How many. */
  outputs: number;
  /** The same computation in plain operations; differentiable by the tape. */
  reference: () => tf.Tensor[];
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
  return usesKernel(kernel, inputs, attrs) ? runKernel(operation, 1)[0] : reference();
}

/**
 * {@link dispatch} of an operation with several outputs.
 *
 * @param operation The call.
 * @returns The outputs.
 * @throws Error when the path is forced to `kernel` and there is none.
 */
export function dispatchAll(operation: JointOperation): tf.Tensor[] {
  const { kernel, inputs, attrs = {}, outputs, reference } = operation;
  return usesKernel(kernel, inputs, attrs) ? runKernel(operation, outputs) : reference();
}

/**
 * Whether what runs now is recorded for gradients, so that a kernel had better keep what its gradient needs.
 *
 * @returns True while the tape is on.
 */
export function isRecording(): boolean {
  return tf.engine().isTapeOn();
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

/**
 * The outputs by the kernel, and on the tape, where there is one, a node with the gradient kernel.
 *
 * The node is put there directly. `tf.customGrad` runs a second kernel around ours, clones what is saved by a third, each
 * with a node of its own, and knows one output only: in a small model that is a fifth of a step.
 */
function runKernel(operation: Operation | JointOperation, count: number): tf.Tensor[] {
  const { kernel, inputs, attrs = {} } = operation;
  const engine = tf.engine();
  const recorded = engine.isTapeOn();
  engine.state.kernelDepth++; // what runs inside a kernel is not recorded
  let results: tf.Tensor[];
  try {
    results = asArray(engine.runKernel(kernel, inputs, attrs));
  } finally {
    engine.state.kernelDepth--;
  }
  const outputs = results.slice(0, count);
  const residuals = results.slice(count);
  if (recorded) record(operation, outputs, residuals);
  else tf.dispose(residuals);
  return outputs;
}

/** Puts a node on the tape. The engine frees what the node holds once it has been used. */
function record(
  { kernel, inputs, attrs = {}, ...operation }: Operation | JointOperation,
  outputs: tf.Tensor[],
  residuals: tf.Tensor[],
): void {
  const { differentiable, gradientTakesOutput = false } = operation;
  const names = operation.gradientInputs ?? Object.keys(inputs);
  const saved: Record<string, tf.Tensor> = {};
  for (const name of names) saved[name] = tf.keep(handle(inputs[name]));
  residuals.forEach((residual, i) => (saved[`residual${i}`] = tf.keep(residual)));
  if (gradientTakesOutput) saved.output = tf.keep(handle(outputs[0]));
  const gradient = (dys: (tf.Tensor | null)[]): Record<string, () => tf.Tensor> => {
    const given = { ...('outputs' in operation ? numbered(dys) : { dy: dys[0]! }), ...saved };
    const gradients = asArray(tf.engine().runKernel(`${kernel}Grad`, given, attrs));
    return Object.fromEntries(differentiable.map((name, i) => [name, () => gradients[i]]));
  };
  const { state } = tf.engine();
  state.activeTape.push({
    id: state.nextTapeNodeId++,
    kernelName: kernel,
    inputs: Object.fromEntries(differentiable.map((name) => [name, inputs[name]])),
    outputs,
    saved: Object.values(saved),
    gradient,
  });
}

/** The gradients of several outputs by name; of an output that nobody used there is none. */
function numbered(dys: (tf.Tensor | null)[]): Record<string, tf.Tensor> {
  return Object.fromEntries(dys.flatMap((dy, i) => (dy ? [[`dy${i}`, dy]] : [])));
}

function asArray(result: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(result) ? result : [result];
}
