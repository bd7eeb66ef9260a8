/** What every kernel for tfjs-node is written with: one call's inputs, and graphs to run on them. */
import * as tf from '@tensorflow/tfjs-core';
import type { RestrictedKernel } from '../../ops/dispatch.js';
import type { Graph, Value } from './graph.js';
import { Sessions, type Feed, type NodeBackend } from './session.js';

/** Tensors that a kernel takes, by name. */
export type Inputs = Record<string, tf.TensorInfo>;

/** A kernel: how TensorFlow.js' registry knows it, when it can run, and what it does. */
export interface NodeKernel {
  /** Name in the registry, for example `TransformersLayerNorm`. */
  name: string;
  /** Says whether it can run on these inputs; where it cannot, the reference runs. Default: always. */
  supports?: (inputs: Inputs, attrs: tf.NamedAttrMap) => boolean;
  /** Names what of a call decides which of TensorFlow's operations it needs; each such variant is tried once. */
  variant?: (inputs: Inputs, attrs: tf.NamedAttrMap) => string;
  /** Computes the outputs, and then the residuals. */
  run: (call: NodeCall) => tf.TensorInfo | tf.TensorInfo[];
}

/** One call of a kernel. */
export class NodeCall {
  /**
   * @param inputs Tensors by name.
   * @param attrs Attributes by name.
   * @param backend The backend that holds the tensors.
   * @param keepsResiduals Whether somebody will ask for gradients, so that residuals are worth their memory.
   */
  constructor(
    readonly inputs: Inputs,
    readonly attrs: tf.NamedAttrMap,
    readonly backend: NodeBackend,
    readonly keepsResiduals = tf.engine().state.gradientDepth > 0,
  ) {}

  /**
   * Runs a graph.
   *
   * @param key Names the graph: everything that `build` depends on besides the types of its inputs.
   * @param feeds Its inputs, by name.
   * @param build Writes it; gets the inputs and returns the outputs.
   * @returns The outputs.
   */
  graph(
    key: string,
    feeds: Record<string, Feed>,
    build: (graph: Graph, inputs: Record<string, Value>) => Value[],
  ): tf.Tensor[] {
    return sessionsOf(this.backend).run(key, feeds, build);
  }

  /**
   * Runs one operation by itself, in this thread: a graph of one would only cost the way to another.
   *
   * @param name Its name in TensorFlow; its only attribute is `T`, float32.
   * @param inputs Its inputs.
   * @returns The output.
   */
  operation(name: string, inputs: tf.TensorInfo[]): tf.Tensor {
    const { TF_ATTR_TYPE, TF_FLOAT } = this.backend.binding;
    const type = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
    return this.backend.executeSingleOutput(name, [type], inputs);
  }

  /**
   * A second handle on a tensor's data.
   *
   * @param tensor The tensor.
   * @returns The handle.
   */
  share({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    this.backend.incRef(dataId);
    return { dataId, shape, dtype };
  }
}

const BACKEND = 'tensorflow';
const sessions = new Map<NodeBackend, Sessions>();
/** Which kernels, in which variants, have run here or failed. */
const works = new Map<string, boolean>();

/** Unloads all graphs, and forgets which kernels run here: as after a start. */
export function forgetGraphs(): void {
  for (const known of sessions.values()) known.dispose();
  sessions.clear();
  works.clear();
}

function sessionsOf(backend: NodeBackend): Sessions {
  let known = sessions.get(backend);
  if (known === undefined) {
    known = new Sessions(backend);
    sessions.set(backend, known);
  }
  return known;
}

/**
 * Registers a kernel for tfjs-node. A name that is registered already keeps its kernel.
 *
 * Whether this libtensorflow has what a kernel needs is found out by running it, with its gradient, when it is asked
 * for the first time; where that fails the reference runs, and the console says so once.
 *
 * @param kernel The kernel.
 * @param gradient The kernel of its gradient, which is registered too.
 */
export function registerNodeKernel(kernel: NodeKernel, gradient?: NodeKernel): void {
  register(kernel, (inputs, attrs) => {
    if (kernel.supports && !kernel.supports(inputs, attrs)) return false;
    const variant = `${kernel.name} ${kernel.variant?.(inputs, attrs) ?? ''}`;
    let known = works.get(variant);
    if (known === undefined) {
      known = tryOnce(kernel, gradient, inputs, attrs);
      works.set(variant, known);
    }
    return known;
  });
  if (gradient) register(gradient, () => true);
}

function register({ name, run }: NodeKernel, supports: RestrictedKernel['supports']): void {
  if (tf.getKernel(name, BACKEND)) return;
  const config: RestrictedKernel = {
    kernelName: name,
    backendName: BACKEND,
    supports,
    kernelFunc: ({ inputs, attrs, backend }) =>
      run(new NodeCall(inputs as Inputs, attrs ?? {}, backend as NodeBackend)),
  };
  tf.registerKernel(config);
}

/** Runs a kernel and its gradient, and throws the results away. */
function tryOnce(
  kernel: NodeKernel,
  gradient: NodeKernel | undefined,
  inputs: Inputs,
  attrs: tf.NamedAttrMap,
): boolean {
  const backend = tf.backend() as unknown as NodeBackend;
  try {
    tf.tidy(() => {
      const results = [kernel.run(new NodeCall(inputs, attrs, backend, true))].flat();
      if (!gradient) return;
      const outputs = attrs.count as number | undefined; // of an operation with several
      const count = outputs ?? 1;
      const given: Inputs = { ...inputs, output: results[0] };
      results.slice(count).forEach((residual, i) => (given[`residual${i}`] = residual));
      results
        .slice(0, count)
        .forEach((y, i) => (given[outputs === undefined ? 'dy' : `dy${i}`] = y));
      gradient.run(new NodeCall(given, attrs, backend, false));
    });
    return true;
  } catch (error) {
    tf.backend_util.warn(
      `tfjs-transformers/node: ${kernel.name} does not run with this libtensorflow ` +
        `(${firstLine(error)}); composed operations run instead. Said once.`,
    );
    return false;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}

/**
 * Takes a kernel back that `registerNodeKernel` has registered; one of somebody else's stays.
 *
 * @param name Name of the kernel.
 */
export function unregisterNodeKernel(name: string): void {
  const kernel = tf.getKernel(name, BACKEND);
  if (kernel && 'supports' in kernel) tf.unregisterKernel(name, BACKEND);
}
