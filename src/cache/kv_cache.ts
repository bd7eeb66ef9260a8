import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger, assertKnownOptions } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';
import { CacheSlot, type AppendOptions, type CachedKeys } from './cache_slot.js';

/** Keys and values of an encoder sequence, as one cross-attention layer made them. */
export interface CrossKeys {
  /** [B, S, K, H] */
  key: tf.Tensor4D;
  /** [B, S, K, Hv] */
  value: tf.Tensor4D;
}

/** Options of a {@link KVCache}. */
export interface KVCacheOptions {
  /**
   * Tokens to make room for at once, where the backend writes in place; more may follow. Default: 64, then twice as
   * many each time.
   */
  capacity?: number;
}

/**
 * Keys and values of the tokens that a model has seen, one slot an attention layer, so that the next token costs one
 * row of attention instead of a whole forward pass.
 *
 * Hand it to a model as `model.apply(tokenIds, {cache, training: false})`: each causal attention layer appends its
 * keys and values and attends over all of them, position embeddings count on from `length`.
 *
 * The cache owns its tensors: they survive the tidy of the call and live until `dispose`. Where the backend writes in
 * place they are buffers with spare room, whose size doubles; elsewhere they have the exact length (`CacheSlot` says
 * why). With a window W only about W keys are kept, so memory and time stay bounded.
 */
export class KVCache {
  private readonly slots = new Map<object, CacheSlot>();
  private readonly capacity: number | undefined;
  private readonly cross = new Map<object, CrossKeys>();
  private history: number[][] = [];
  private disposed = false;

  /**
   * @param owners The attention layers that will write to it, so that `length` is known to count all of them.
   * @param options See {@link KVCacheOptions}.
   */
  constructor(owners: Iterable<object> = [], options: KVCacheOptions = {}) {
    assertKnownOptions('KVCache', options, ['capacity']);
    const { capacity } = options;
    if (capacity !== undefined) assertInteger('KVCache', 'capacity', capacity);
    this.capacity = capacity;
    for (const owner of owners) this.slots.set(owner, new CacheSlot(capacity));
  }

  /** Number of tokens cached: the position of the next one. */
  get length(): number {
    return this.slots.size === 0
      ? 0
      : Math.min(...[...this.slots.values()].map((slot) => slot.length));
  }

  /**
   * Token ids of what is cached, one array a row, −1 for padding: what `recordTokens` was told. Empty when nobody told.
   */
  get tokens(): readonly (readonly number[])[] {
    return this.history;
  }

  /** Whether `dispose` was called. */
  get isDisposed(): boolean {
    return this.disposed;
  }

  /** Number of rows, or null before the first write. */
  get batchSize(): number | null {
    for (const { batchSize } of this.slots.values()) if (batchSize !== null) return batchSize;
    return null;
  }

  /** Bytes held by keys, values and masks, the spare room of buffers included. */
  get bytes(): number {
    const cross = [...this.cross.values()].map(({ key, value }) => 4 * (key.size + value.size));
    const own = [...this.slots.values()].map((slot) => slot.bytes);
    return [...own, ...cross].reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * Whether a layer writes to this cache.
   *
   * @param owner The attention layer.
   * @returns True for those that the cache was made for, and those that have written to it.
   */
  has(owner: object): boolean {
    return this.slots.has(owner);
  }

  /**
   * Number of tokens that one layer has written: the position of its next one.
   *
   * @param owner The attention layer.
   * @returns 0 before its first write.
   */
  lengthOf(owner: object): number {
    return this.slots.get(owner)?.length ?? 0;
  }

  /**
   * Appends the keys and values of new tokens.
   *
   * @param owner The attention layer that writes.
   * @param key [B, T, K, H]
   * @param value [B, T, K, Hv]
   * @param options Mask of the new tokens and window.
   * @returns Everything that the new queries may look at.
   * @throws Error when the cache is disposed of, or holds another number of rows.
   */
  append(owner: object, key: tf.Tensor, value: tf.Tensor, options: AppendOptions = {}): CachedKeys {
    this.assertAlive();
    const slot = this.slots.get(owner) ?? new CacheSlot(this.capacity);
    this.slots.set(owner, slot);
    assert(
      slot.batchSize === null || slot.batchSize === key.shape[0],
      () =>
        `KVCache: holds ${slot.batchSize} rows, got key=${shapeText(key.shape)}. Make a new cache for another batch.`,
    );
    return slot.append(key, value, options);
  }

  /**
   * Keys and values of the sequence that a cross-attention layer looks at. They are the same in every step, so they are
   * made in the first one and kept.
   *
   * @param owner The attention layer.
   * @param make Makes them.
   * @returns What the cache holds; it stays the cache's.
   */
  crossKeys(owner: object, make: () => CrossKeys): CrossKeys {
    this.assertAlive();
    const kept = this.cross.get(owner);
    if (kept !== undefined) return kept;
    const [key, value] = tf.tidy(() => {
      const made = make();
      return [tf.keep(tf.clone(made.key)), tf.keep(tf.clone(made.value))];
    });
    this.cross.set(owner, { key, value });
    return { key, value };
  }

  /**
   * Notes which tokens were just cached, so that a later call can tell whether its prompt starts with them.
   *
   * @param rows The ids of the new tokens, one array a row, −1 for padding.
   */
  recordTokens(rows: readonly (readonly number[])[]): void {
    if (this.history.length === 0) this.history = rows.map((row) => [...row]);
    else this.history.forEach((ids, b) => ids.push(...rows[b]));
  }

  /**
   * Whether `trim` can go back to a length.
   *
   * @param length Tokens to keep.
   * @returns False when there are not so many, or a window has dropped keys that would be seen again.
   */
  canTrim(length: number): boolean {
    const back = [...this.slots.values()].every(
      (slot) => slot.start === 0 || slot.length === length,
    );
    return length === 0 || (length <= this.length && back);
  }

  /**
   * Forgets all tokens but the first ones, to go on from an earlier place.
   *
   * @param length Tokens to keep, 0 … `length`.
   * @throws Error when a window has already dropped keys that the shorter cache needs.
   */
  trim(length: number): void {
    this.assertAlive();
    assertInteger('KVCache.trim', 'length', length, 0, this.length);
    assert(
      this.canTrim(length),
      () =>
        `KVCache.trim: a window has dropped the first tokens, so the cache of ${this.length} cannot go back to ` +
        `length=${length}. Fork it before going on, or trim to 0 and start again.`,
    );
    this.history = length === 0 ? [] : this.history.map((ids) => ids.slice(0, length));
    for (const slot of this.slots.values()) slot.trim(length);
  }

  /**
   * A second cache that goes its own way from here. Costs no copy until one of them grows.
   *
   * @returns The new cache; it has to be disposed of too.
   */
  fork(): KVCache {
    this.assertAlive();
    const twin = new KVCache([], this.capacity === undefined ? {} : { capacity: this.capacity });
    twin.history = this.history.map((ids) => [...ids]);
    for (const [owner, slot] of this.slots) twin.slots.set(owner, slot.fork());
    for (const [owner, kept] of this.cross) twin.cross.set(owner, keptKeys(kept));
    return twin;
  }

  /**
   * Replaces the rows of the batch by a selection of them.
   *
   * @param rows For each new row the old one that it continues.
   */
  selectRows(rows: readonly number[]): void {
    this.assertAlive();
    for (const row of rows)
      assertInteger('KVCache.selectRows', 'row', row, 0, (this.batchSize ?? 0) - 1);
    const indices = tf.tensor1d([...rows], 'int32');
    for (const slot of this.slots.values()) slot.selectRows(indices);
    for (const [owner, { key, value }] of this.cross) {
      const chosen = { key: tf.gather(key, indices), value: tf.gather(value, indices) };
      this.cross.set(
        owner,
        tf.tidy(() => ({ ...keptKeys(chosen) })),
      );
      tf.dispose([key, value, chosen.key, chosen.value]);
    }
    indices.dispose();
    if (this.history.length > 0) this.history = rows.map((row) => [...this.history[row]]);
  }

  /** Frees all tensors. Calling it again does nothing. */
  dispose(): void {
    for (const slot of this.slots.values()) slot.dispose();
    this.slots.clear();
    for (const { key, value } of this.cross.values()) tf.dispose([key, value]);
    this.cross.clear();
    this.history = [];
    this.disposed = true;
  }

  private assertAlive(): void {
    assert(
      !this.disposed,
      () => 'KVCache: already disposed of. Make a new one with generation.createCache(model).',
    );
  }
}

/** Handles of the cache's own, which no tidy frees. */
function keptKeys({ key, value }: CrossKeys): CrossKeys {
  return { key: tf.keep(tf.clone(key)), value: tf.keep(tf.clone(value)) };
}
