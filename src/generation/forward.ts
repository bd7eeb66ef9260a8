import * as tf from '@tensorflow/tfjs-core';
import { KVCache } from '../cache/kv_cache.js';
import type { AttentionScores } from '../layers/attention_scores.js';
import { assert } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { applyModel, type Values } from './model_inputs.js';
import { nextTask } from './next_task.js';
import { assertAlive, type Run } from './run.js';
import { EncodedSource } from './encoded_source.js';

/**
 * Runs the model over the columns of a run's grid that it has not seen, by way of a cache where it has something to
 * cache. Owns that cache, unless it was handed in, and what the encoder made of the source; `dispose` frees both.
 */
export class Forward {
  private cache: KVCache | null = null;
  private source: EncodedSource | null = null;
  private isStarted = false;
  private maps: AttentionScores | null = null;

  /** @param run The call of `generate` or `stream`. Nothing is computed yet. */
  constructor(private readonly run: Run) {}

  /** Attention maps of the last call of `logits`, when they were asked for. Freed by the next call. */
  get attentions(): AttentionScores | undefined {
    return this.maps ?? undefined;
  }

  /**
   * The logits of the next token. Lets timers and signals have their turn first: reading from a backend on the host
   * does not.
   *
   * @returns [B·V], or null when the signal was aborted before they were there.
   */
  async logits(): Promise<Float32Array | null> {
    const { grid, options } = this.run;
    this.releaseAttentions();
    if (!this.isStarted) this.start();
    const chunk = this.cache === null ? Infinity : options.prefillChunkSize;
    for (;;) {
      await nextTask();
      if (options.signal?.aborted) return null;
      const from = this.cache?.length ?? 0;
      const to = Math.min(grid.width, from + chunk);
      const isLast = to === grid.width;
      const logits = this.cache ? this.cached(this.cache, from, to) : this.apply(0, to, null);
      if (isLast) {
        const values = await read(logits);
        return options.signal?.aborted ? null : values;
      }
      logits.dispose();
    }
  }

  /**
   * Replaces the rows by a selection of them, before the grid's own `select`. A cache that was handed in keeps its own rows;
   * from here on a fork of it is used.
   *
   * @param rows For each new row the old one that it continues.
   */
  select(rows: readonly number[]): void {
    if (this.cache !== null && this.cache === this.run.options.cache)
      this.cache = this.cache.fork();
    if (rows.length === this.run.grid.rows.length && rows.every((row, b) => row === b)) return;
    this.cache?.selectRows(rows);
    this.source?.select(rows);
  }

  /** Frees the cache, unless it was handed in, and the rest. */
  dispose(): void {
    this.releaseAttentions();
    this.source?.dispose();
    if (this.cache !== this.run.options.cache) this.cache?.dispose();
    this.cache = this.source = null;
  }

  private start(): void {
    const { owners, options, grid, encoder } = this.run;
    this.isStarted = true;
    if (encoder) this.source = new EncodedSource(encoder);
    if (owners.length === 0) return;
    this.cache = options.cache ?? new KVCache(owners);
    if (this.cache.length > 0) {
      rewind(this.cache, Math.min(grid.commonWidth(this.cache.tokens), grid.width - 1));
    }
  }

  private releaseAttentions(): void {
    if (this.maps) tf.dispose([...this.maps.values()]);
    this.maps = null;
  }

  /** The logits by way of the cache, which afterwards holds the columns up to `to`. */
  private cached(cache: KVCache, from: number, to: number): tf.Tensor {
    const { where, grid } = this.run;
    assertAlive(where, cache);
    assert(
      grid.isStarted ? from === grid.width - 1 : from < grid.width,
      () =>
        `${where}: cache holds ${from} tokens instead of ${grid.width - 1}: something else has used it meanwhile. ` +
        'Give each call that runs at the same time a fork() of its own.',
    );
    let logits: tf.Tensor | null = null;
    try {
      logits = this.apply(from, to, cache);
      this.checkWritten(cache, from, to - from);
      cache.recordTokens(grid.cells(from, to));
      return logits;
    } catch (error) {
      logits?.dispose();
      rewind(cache, from); // layers before the one that failed have written already
      throw error;
    }
  }

  private checkWritten(cache: KVCache, from: number, T: number): void {
    for (const owner of this.run.owners) {
      const written = cache.lengthOf(owner) - from;
      assert(
        written === T,
        () =>
          `${this.run.where}: layer '${owner.name}' wrote ${written} tokens to the cache instead of ${T}. A layer that ` +
          'the model calls twice, or whose caller passes no arguments on, cannot be cached. Set useCache: false.',
      );
    }
  }

  /** Feeds the columns from … to; logits of the last one, [B·V]. */
  private apply(from: number, to: number, cache: KVCache | null): tf.Tensor {
    const { model, names, grid, options, where } = this.run;
    return tf.tidy(() => {
      const [B, T] = [grid.rows.length, to - from];
      const feed = (values: Int32Array): tf.Tensor => tf.tensor2d(values, [B, T], 'int32');
      const values: Values = {
        tokenIds: () => feed(grid.ids(from, to)),
        paddingMask: () => feed(grid.mask(from, to)),
        positions: () => feed(grid.positions(from, to)),
        segmentIds: () => tf.zeros([B, T], 'int32'),
        tokenTypeIds: () => tf.zeros([B, T], 'int32'),
        ...this.source?.values,
      };
      const kwargs: Record<string, unknown> = { training: false, lastPositionOnly: true };
      if (cache) kwargs.cache = cache;
      // What is the default is not given at all.
      if (grid.isPadded) kwargs.positions = values.positions();
      if (grid.hasPaddingFrom(from)) kwargs.paddingMask = values.paddingMask();
      Object.assign(kwargs, this.source?.callArguments);
      if (options.outputAttentions && to === grid.width) {
        kwargs.scores = this.maps = new Map();
      }
      const [output] = applyModel(model, names, values, kwargs);
      const [rows, length, V] = output.shape;
      assert(
        output.rank === 3 && rows === B && (length === T || length === 1),
        () =>
          `${where}: the model must return logits [${B},${T},V], got shape=${shapeText(output.shape)}.`,
      );
      const last = length === 1 ? output : tf.slice(output, [0, length - 1, 0], [B, 1, V]);
      return tf.reshape(last, [B * V]);
    });
  }
}

/** Goes back to a length, or to nothing when the cache cannot. */
function rewind(cache: KVCache, length: number): void {
  cache.trim(cache.canTrim(length) ? length : 0);
}

/** The transfer to the host, one a step. */
async function read(logits: tf.Tensor): Promise<Float32Array> {
  try {
    return (await logits.data()) as Float32Array;
  } finally {
    logits.dispose();
  }
}
