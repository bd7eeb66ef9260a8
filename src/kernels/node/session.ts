/** Graphs, loaded into libtensorflow and run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { Graph, TAG, type Type, type Value } from './graph.js';

/** What is used of tfjs-node's backend; all of it is public there. */
export interface NodeBackend extends tf.KernelBackend {
  /** Numbers of TensorFlow's types and of its types of attributes. */
  binding: { TF_ATTR_TYPE: number; TF_FLOAT: number };
  /** Runs one operation. */
  executeSingleOutput(
    name: string,
    attributes: { name: string; type: number; value: number }[],
    inputs: tf.TensorInfo[],
  ): tf.Tensor;
  /** Loads a graph from a folder; returns its number. */
  loadSavedModelMetaGraph(path: string, tags: string): number;
  /** Unloads it. */
  deleteSavedModel(id: number): void;
  /** Runs it. */
  runSavedModel(
    id: number,
    inputs: tf.TensorInfo[],
    infos: { name: string; tfDtype: string }[],
    outputs: string[],
  ): tf.Tensor[];
  /** Takes over numbers; no tensor of the engine is made. */
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId;
  /** Gives up one holder of data. */
  disposeData(dataId: tf.DataId): boolean;
  /** Counts one holder of data more. */
  incRef(dataId: tf.DataId): void;
}

/**
 * What a graph is run on: tensors; whole numbers, as an int32 vector that is kept for the next call; and vectors that
 * change with every call.
 */
export type Feed =
  | tf.TensorInfo
  | readonly number[]
  | { integers: readonly number[] }
  | { numbers: readonly number[] };

/** A graph in libtensorflow. */
interface Session {
  id: number;
  outputs: string[];
}

/** Vectors of whole numbers are kept for the next call; so many at most. */
const VECTORS = 2048;

/** All graphs of a backend. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly vectors = new Map<string, tf.TensorInfo>();

  /** @param backend The backend. */
  constructor(private readonly backend: NodeBackend) {}

  /**
   * Runs a graph, after loading it the first time.
   *
   * @param key Names the graph: everything that `build` depends on.
   * @param feeds Its inputs, by name.
   * @param build Writes it; gets the inputs and returns the outputs.
   * @returns The outputs.
   */
  run(
    key: string,
    feeds: Record<string, Feed>,
    build: (graph: Graph, inputs: Record<string, Value>) => Value[],
  ): tf.Tensor[] {
    let session = this.sessions.get(key);
    if (session === undefined) {
      session = this.load(feeds, build);
      this.sessions.set(key, session);
    }
    const passing: tf.TensorInfo[] = [];
    const names = Object.keys(feeds);
    const tensors = names.map((name) => {
      const feed = feeds[name];
      if ('dataId' in feed) return feed;
      if (isList(feed)) return this.vector(feed);
      const vector =
        'numbers' in feed
          ? this.write(Float32Array.from(feed.numbers), 'float32')
          : this.write(Int32Array.from(feed.integers), 'int32');
      passing.push(vector);
      return vector;
    });
    const infos = names.map((name) => ({ name, tfDtype: '' }));
    try {
      return this.backend.runSavedModel(session.id, tensors, infos, session.outputs);
    } finally {
      for (const { dataId } of passing) this.backend.disposeData(dataId);
    }
  }

  /** Unloads all graphs. */
  dispose(): void {
    for (const { id } of this.sessions.values()) this.backend.deleteSavedModel(id);
    this.sessions.clear();
    this.forgetVectors();
  }

  private load(
    feeds: Record<string, Feed>,
    build: (graph: Graph, inputs: Record<string, Value>) => Value[],
  ): Session {
    const graph = new Graph();
    const inputs: Record<string, Value> = {};
    for (const [name, feed] of Object.entries(feeds))
      inputs[name] = graph.input(name, typeOf(feed));
    const outputs = build(graph, inputs);
    return { id: loadGraph(this.backend, graph.serialize()), outputs };
  }

  /** An int32 vector, written once. Not a tensor of the engine's, so no tidy frees it and nothing counts it. */
  private vector(values: readonly number[]): tf.TensorInfo {
    const key = values.join();
    let known = this.vectors.get(key);
    if (known === undefined) {
      if (this.vectors.size >= VECTORS) this.forgetVectors();
      known = this.write(Int32Array.from(values), 'int32');
      this.vectors.set(key, known);
    }
    return known;
  }

  private write(values: Int32Array | Float32Array, dtype: 'int32' | 'float32'): tf.TensorInfo {
    const shape = [values.length];
    return { dataId: this.backend.write(values, shape, dtype), shape, dtype };
  }

  private forgetVectors(): void {
    for (const { dataId } of this.vectors.values()) this.backend.disposeData(dataId);
    this.vectors.clear();
  }
}

function isList(feed: Feed): feed is readonly number[] {
  return Array.isArray(feed);
}

function typeOf(feed: Feed): Type {
  if ('dataId' in feed) return feed.dtype as Type;
  return 'numbers' in feed ? 'float32' : 'int32';
}

/** TensorFlow reads a graph from a folder only, so there is one for as long as that takes. */
function loadGraph(backend: NodeBackend, bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-transformers-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), bytes);
    return backend.loadSavedModelMetaGraph(folder, TAG);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
