/**
 * What one attention layer has cached: keys, values and, where some tokens are padding, their mask.
 *
 * On a backend that writes in place they lie in buffers with spare room, so that a new token costs one row. Elsewhere
 * tensors are immutable, a write makes a new one, and so they have the exact length: a buffer would have to be copied
 * whole for each token (docs/measurements.md has both measured).
 */
import * as tf from '@tensorflow/tfjs-core';
import { cacheWrite, writesInPlace } from '../ops/cache_write.js';
import { embeddingLookup } from '../ops/embedding_lookup.js';
import { handle } from '../util/handle.js';
import { sizeOf } from '../util/shapes.js';

/** What an attention layer attends over after it has appended its new keys. */
export interface CachedKeys {
  /** Past and new keys in the first `length` places, [B, C, K, H]. What is in the others means nothing. */
  key: tf.Tensor4D;
  /** Past and new values likewise, [B, C, K, Hv]. */
  value: tf.Tensor4D;
  /** S, how many places are in use: the `keyLength` of attention. */
  length: number;
  /** Which of these are real, bool [B, S]; undefined when all are. */
  mask: tf.Tensor2D | undefined;
  /** Place of the first new token among these keys: the `offset` of causality and windows. */
  offset: number;
}

/** Options of `append`. */
export interface AppendOptions {
  /** Which of the new tokens are real, [B, T], nonzero = real. Default: all. */
  mask?: tf.Tensor | undefined;
  /** Keep only the keys that a causal window of this width can still reach. Default: keep all. */
  window?: number | undefined;
}

/** Keys, values and, perhaps, mask. */
interface Parts {
  key: tf.Tensor;
  value: tf.Tensor;
  mask: tf.Tensor | undefined;
}

/** Room of a new buffer, in tokens, when nothing else is known. */
const FIRST_CAPACITY = 64;

/** Keys, values and mask of one attention layer. It owns its tensors. */
export class CacheSlot {
  /** Tokens seen. */
  length = 0;
  /** Position of the first key that counts as held; a buffer may still have some before it. */
  start = 0;
  private parts: Parts | null = null;
  /** Places in use. The first of them holds the token at position `length − used`. */
  private used = 0;

  /** @param capacity Tokens to make room for; it doubles from 64 on when this is not known. */
  constructor(private readonly capacity: number | undefined) {}

  /** Number of rows of the batch, or null before the first write. */
  get batchSize(): number | null {
    return this.parts && this.parts.key.shape[0];
  }

  /** Bytes of its buffers, spare room included. */
  get bytes(): number {
    if (!this.parts) return 0;
    const { key, value, mask } = this.parts;
    return 4 * (key.size + value.size) + (mask?.size ?? 0);
  }

  /**
   * Appends the keys and values of new tokens.
   *
   * @param key [B, T, K, H]
   * @param value [B, T, K, Hv]
   * @param options Mask of the new tokens and window.
   * @returns Everything that the new queries may look at; the caller's tidy frees these handles.
   */
  append(key: tf.Tensor, value: tf.Tensor, { mask, window }: AppendOptions): CachedKeys {
    const T = key.shape[1]!;
    const all = tf.tidy(() => {
      // "nonzero = real", by a comparison: a cast to bool is not one on every backend
      const real = mask && tf.notEqual(tf.cast(mask, 'float32'), 0);
      const added = { key, value, mask: real };
      return {
        ...(writesInPlace() ? this.write(added, T, window) : this.concatenate(added, T, window)),
      };
    });
    this.length += T;
    if (window !== undefined) this.start = Math.max(this.start, this.length - window);
    return all;
  }

  /**
   * Forgets all tokens but the first ones. What is held stays; later tokens take the place.
   *
   * @param length Tokens to keep; none of them may have been dropped by a window.
   */
  trim(length: number): void {
    if (length === 0) this.dispose();
    else if (this.parts) {
      this.used -= this.length - length;
      this.length = length;
    }
  }

  /**
   * A slot with the same content. They share memory until one of them is written to, which then gets its own.
   *
   * @returns The new slot.
   */
  fork(): CacheSlot {
    const twin = new CacheSlot(this.capacity);
    twin.length = this.length;
    if (this.parts) twin.hold(this.parts, this.used);
    twin.start = this.start;
    return twin;
  }

  /**
   * Replaces the rows of the batch by a selection of them.
   *
   * @param rows int32 [R], for each new row the old one.
   */
  selectRows(rows: tf.Tensor1D): void {
    if (!this.parts) return;
    const { key, value, mask } = this.parts;
    const choose = (x: tf.Tensor): tf.Tensor => {
      const [B, ...rest] = x.shape;
      return tf.reshape(embeddingLookup(tf.reshape(x, [B, sizeOf(rest)]), rows), [-1, ...rest]);
    };
    tf.tidy(() => {
      const chosen = mask && tf.notEqual(choose(tf.cast(mask, 'float32')), 0);
      this.hold({ key: choose(key), value: choose(value), mask: chosen }, this.used);
    });
  }

  /** Frees its tensors; it is empty then. */
  dispose(): void {
    if (this.parts) tf.dispose([this.parts.key, this.parts.value, this.parts.mask ?? []]);
    this.parts = null;
    this.used = this.length = this.start = 0;
  }

  /** Appends in place, after making room. */
  private write(added: Parts, T: number, window: number | undefined): CachedKeys {
    const past = this.used;
    const room = this.parts ? this.parts.key.shape[1]! : 0;
    if (past + T > room) {
      // Twice a window: so a window is moved to the front once in as many tokens, one row a token.
      const most = window === undefined ? Infinity : Math.max(FIRST_CAPACITY, 2 * window);
      let size = Math.max(room, this.capacity ?? FIRST_CAPACITY);
      while (size < past + T) size *= 2;
      size = Math.min(size, most);
      const reached = past + T <= size ? past : Math.min(past, window!);
      if (reached + T > size) return this.writeWindow(added, reached, T, window!, size);
      this.makeRoom(added, past - reached, reached, size);
    }
    this.store(added, this.used, T);
    return { ...this.handles(), length: this.used, offset: this.used - T } as CachedKeys;
  }

  /** More new tokens than a window's buffer takes: they are seen whole, and only the last ones are kept. */
  private writeWindow(
    added: Parts,
    reached: number,
    T: number,
    window: number,
    size: number,
  ): CachedKeys {
    const all = this.joined(added, reached, T);
    const kept = Math.min(window, reached + T);
    const last = take(all, reached + T - kept, kept);
    this.makeRoom(all, 0, 0, size);
    this.store(last, 0, kept);
    return { ...all, length: reached + T, offset: reached } as CachedKeys;
  }

  /** Moves places `from … from+count−1` to the front of buffers of a size, new ones unless these have it. */
  private makeRoom(like: Parts, from: number, count: number, size: number): void {
    const old = this.parts && count > 0 ? take(this.parts, from, count) : null;
    if (this.parts?.key.shape[1] !== size) {
      const blank = (x: tf.Tensor): tf.Tensor =>
        tf.zeros([x.shape[0], size, ...x.shape.slice(2)], x.dtype);
      const mask = this.parts?.mask && blank(this.parts.mask);
      this.hold({ key: blank(like.key), value: blank(like.value), mask }, 0);
    }
    this.used = 0;
    if (old) this.store(old, 0, count);
  }

  /** Writes T tokens to the places from `at` on; these are the last in use then. */
  private store(added: Parts, at: number, T: number): void {
    const { key, value, mask } = this.parts!;
    const written = {
      key: cacheWrite(key, added.key, at),
      value: cacheWrite(value, added.value, at),
      mask: this.storeMask(mask, added, at, T),
    };
    this.hold(written, at + T);
  }

  /** A mask on either side makes the other side all real. */
  private storeMask(
    mask: tf.Tensor | undefined,
    added: Parts,
    at: number,
    T: number,
  ): tf.Tensor | undefined {
    if (!mask && !added.mask) return undefined;
    const [B, size] = this.parts!.key.shape;
    // Before the first mask there were only real tokens.
    const all = mask ?? tf.ones([B, size], 'bool');
    return cacheWrite(all, added.mask ?? tf.ones([B, T], 'bool'), at);
  }

  /** Appends by making tensors of the exact length. */
  private concatenate(added: Parts, T: number, window: number | undefined): CachedKeys {
    const past = this.used;
    const all = this.joined(added, past, T);
    const kept = Math.min(past + T, window ?? Infinity);
    this.hold(kept === past + T ? all : take(all, past + T - kept, kept), kept);
    return { ...all, length: past + T, offset: past } as CachedKeys;
  }

  /** The last `past` tokens in use, and new ones after them. */
  private joined(added: Parts, past: number, T: number): Parts {
    const [B] = added.key.shape;
    const old = this.parts && past > 0 ? take(this.parts, this.used - past, past) : null;
    const join = (a: tf.Tensor | undefined, b: tf.Tensor): tf.Tensor =>
      a ? tf.concat([a, b], 1) : handle(b);
    let mask: tf.Tensor | undefined;
    if (old?.mask || added.mask) {
      // Through int32: not every backend joins bools.
      const whole = (part: tf.Tensor | undefined, length: number): tf.Tensor =>
        part ? tf.cast(part, 'int32') : tf.ones([B, length], 'int32');
      mask = tf.cast(join(old ? whole(old.mask, past) : undefined, whole(added.mask, T)), 'bool');
    }
    return { key: join(old?.key, added.key), value: join(old?.value, added.value), mask };
  }

  /** Handles for the caller, which its tidy may free. */
  private handles(): Parts {
    const { key, value, mask } = this.parts!;
    const real = mask && tf.slice(mask, [0, 0], [-1, this.used]);
    return { key: handle(key), value: handle(value), mask: real };
  }

  /** Keeps handles of its own on these tensors, in place of what it held. */
  private hold({ key, value, mask }: Parts, used: number): void {
    const old = this.parts;
    const own = (x: tf.Tensor): tf.Tensor => tf.keep(handle(x));
    this.parts = { key: own(key), value: own(value), mask: mask && own(mask) };
    this.used = used;
    if (old) tf.dispose([old.key, old.value, old.mask ?? []]);
  }
}

/** Places `from … from+count−1`; the same tensors when these are all. */
function take({ key, value, mask }: Parts, from: number, count: number): Parts {
  const part = (x: tf.Tensor): tf.Tensor =>
    count === x.shape[1] ? handle(x) : tf.slice(x, [0, from], [-1, count]);
  return { key: part(key), value: part(value), mask: mask && part(mask) };
}
