import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger } from '../util/errors.js';
import { shapeText } from '../util/shapes.js';

/** What an attention layer attends over after it has appended its new keys. */
export interface CachedKeys {
  /** Past and new keys, [B, S, K, H]. */
  key: tf.Tensor4D;
  /** Past and new values, [B, S, K, Hv]. */
  value: tf.Tensor4D;
  /** Which of them are real, bool [B, S]; undefined when all are. */
  mask: tf.Tensor2D | undefined;
  /** Place of the first new token among these keys: the `offset` of causality and windows. */
  offset: number;
}

/** Options of `KVCache.append`. */
export interface AppendOptions {
  /** Which of the new tokens are real, [B, T], nonzero = real. Default: all. */
  mask?: tf.Tensor | undefined;
  /** Keep only the keys that a causal window of this width can still reach. Default: keep all. */
  window?: number | undefined;
}

/** What one attention layer has cached. */
interface Slot {
  key: tf.Tensor4D | null;
  value: tf.Tensor4D | null;
  mask: tf.Tensor2D | null;
  /** Tokens seen. */
  length: number;
  /** Position of the first key that is still held. */
  start: number;
}

/**
 * Keys and values of the tokens that a model has seen, one slot an attention layer, so that the next token costs one
 * row of attention instead of a whole forward pass.
 *
 * Hand it to a model as `model.apply(tokenIds, {cache, training: false})`: each causal attention layer appends its
 * keys and values and attends over all of them, position embeddings count on from `length`.
 *
 * The cache owns its tensors: they survive the tidy of the call and live until `dispose`. Tensors are immutable, so a
 * write makes a new one of the exact length; a buffer with spare room would have to be copied whole for each token
 * and attended over whole (docs/measurements.md has both measured). With a window W only W keys are kept, so memory
 * and time stay bounded.
 */
export class KVCache {
  private readonly slots = new Map<object, Slot>();
  private history: number[][] = [];
  private disposed = false;

  /**
   * @param owners The attention layers that will write to it, so that `length` is known to count all of them.
   */
  constructor(owners: Iterable<object> = []) {
    for (const owner of owners) this.slots.set(owner, emptySlot());
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
    for (const { key } of this.slots.values()) if (key) return key.shape[0];
    return null;
  }

  /** Bytes held by keys, values and masks. */
  get bytes(): number {
    let bytes = 0;
    for (const { key, value, mask } of this.slots.values()) {
      bytes += 4 * ((key?.size ?? 0) + (value?.size ?? 0)) + (mask?.size ?? 0);
    }
    return bytes;
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
    const slot = this.slots.get(owner) ?? emptySlot();
    this.slots.set(owner, slot);
    const [B, T] = key.shape as number[];
    assert(
      slot.key === null || slot.key.shape[0] === B,
      () =>
        `KVCache: holds ${slot.key!.shape[0]} rows, got key=${shapeText(key.shape)}. Make a new cache for another batch.`,
    );
    const past = slot.key?.shape[1] ?? 0;
    const { window } = options;
    const drop = window === undefined ? 0 : Math.max(0, past + T - window);
    const all = tf.tidy(() => {
      const all = {
        key: (slot.key ? tf.concat([slot.key, key], 1) : tf.clone(key)) as tf.Tensor4D,
        value: (slot.value ? tf.concat([slot.value, value], 1) : tf.clone(value)) as tf.Tensor4D,
        mask: appendMask(slot.mask, options.mask, B, past, T),
      };
      const kept = drop === 0 ? all : dropFirst(all, drop);
      this.replace(slot, kept, slot.start + drop, slot.length + T);
      return all;
    });
    return { ...all, offset: past };
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
    for (const slot of this.slots.values()) {
      if (slot.length === length || !slot.key || !slot.value) continue;
      const { key, value, mask } = slot;
      if (length === 0) {
        this.clear(slot);
        continue;
      }
      tf.tidy(() => {
        const kept = {
          key: firstRows(key, length) as tf.Tensor4D,
          value: firstRows(value, length) as tf.Tensor4D,
          mask: mask ? (firstRows(mask, length) as tf.Tensor2D) : undefined,
        };
        this.replace(slot, kept, 0, length);
      });
    }
  }

  /**
   * A second cache that goes its own way from here. Costs no copy until one of them grows.
   *
   * @returns The new cache; it has to be disposed of too.
   */
  fork(): KVCache {
    this.assertAlive();
    const twin = new KVCache();
    twin.history = this.history.map((ids) => [...ids]);
    for (const [owner, slot] of this.slots) {
      twin.slots.set(owner, {
        ...slot,
        key: slot.key && tf.keep(tf.clone(slot.key)),
        value: slot.value && tf.keep(tf.clone(slot.value)),
        mask: slot.mask && tf.keep(tf.clone(slot.mask)),
      });
    }
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
    for (const slot of this.slots.values()) {
      const { key, value, mask } = slot;
      if (!key || !value) continue;
      tf.tidy(() => {
        const gathered = mask && tf.cast(tf.gather(tf.cast(mask, 'int32'), indices), 'bool');
        const chosen = {
          key: tf.gather(key, indices),
          value: tf.gather(value, indices),
          mask: gathered ?? undefined,
        };
        this.replace(slot, chosen, slot.start, slot.length);
      });
    }
    indices.dispose();
    if (this.history.length > 0) this.history = rows.map((row) => [...this.history[row]]);
  }

  /** Frees all tensors. Calling it again does nothing. */
  dispose(): void {
    for (const slot of this.slots.values()) this.clear(slot);
    this.slots.clear();
    this.history = [];
    this.disposed = true;
  }

  private assertAlive(): void {
    assert(
      !this.disposed,
      () => 'KVCache: already disposed of. Make a new one with generation.createCache(model).',
    );
  }

  private clear(slot: Slot): void {
    tf.dispose([slot.key, slot.value, slot.mask].filter((tensor) => tensor !== null));
    Object.assign(slot, emptySlot());
  }

  private replace(
    slot: Slot,
    { key, value, mask }: { key: tf.Tensor4D; value: tf.Tensor4D; mask: tf.Tensor2D | undefined },
    start: number,
    length: number,
  ): void {
    this.clear(slot);
    // Clones: the caller's tidy may dispose of what `append` returns, the cache keeps its own handles.
    slot.key = tf.keep(tf.clone(key));
    slot.value = tf.keep(tf.clone(value));
    slot.mask = mask ? tf.keep(tf.clone(mask)) : null;
    slot.start = start;
    slot.length = length;
  }
}

function emptySlot(): Slot {
  return { key: null, value: null, mask: null, length: 0, start: 0 };
}

/** Mask of past and new keys; a mask on either side makes the other side all real. */
function appendMask(
  past: tf.Tensor2D | null,
  added: tf.Tensor | undefined,
  B: number,
  pastLength: number,
  T: number,
): tf.Tensor2D | undefined {
  if (!past && !added) return undefined;
  const parts: tf.Tensor[] = [];
  if (pastLength > 0) parts.push(past ? tf.cast(past, 'int32') : tf.ones([B, pastLength], 'int32'));
  // "nonzero = real", by a comparison: a cast to bool is not one on every backend
  parts.push(
    added ? tf.cast(tf.notEqual(tf.cast(added, 'float32'), 0), 'int32') : tf.ones([B, T], 'int32'),
  );
  return tf.cast(parts.length === 1 ? parts[0] : tf.concat(parts, 1), 'bool') as tf.Tensor2D;
}

type Kept = Omit<CachedKeys, 'offset'>;

function dropFirst({ key, value, mask }: Kept, count: number): Kept {
  const rest = (tensor: tf.Tensor): tf.Tensor =>
    tf.slice(tensor, [0, count], [-1, tensor.shape[1]! - count]);
  return {
    key: rest(key) as tf.Tensor4D,
    value: rest(value) as tf.Tensor4D,
    mask: mask && (rest(mask) as tf.Tensor2D),
  };
}

function firstRows(tensor: tf.Tensor, length: number): tf.Tensor {
  return tf.slice(tensor, [0, 0], [-1, length]);
}
