/**
 * Masks that Keras keeps beside tensors, as descriptions: they become tensors only where a layer uses them.
 *
 * A description can be taken from inside a nested model to where the model is called, because it says what the mask is
 * made from.
 */
import type * as tfl from '@tensorflow/tfjs-layers';

type Tensor = tfl.SymbolicTensor;

/** How a mask is made. */
export type Mask =
  /** Ids that are not `value` (`Embedding(mask_zero=True)`). */
  | { readonly kind: 'ids'; readonly of: Tensor; readonly value: number }
  /** Steps of which some feature is not `value` (`Masking`). */
  | { readonly kind: 'features'; readonly of: Tensor; readonly value: number }
  /** A tensor of the graph. */
  | { readonly kind: 'tensor'; readonly of: Tensor }
  /** All true, over the steps of a tensor [B, S, …]. */
  | { readonly kind: 'all'; readonly of: Tensor }
  | { readonly kind: 'or' | 'and'; readonly parts: readonly Mask[] }
  /** One sequence behind another. */
  | { readonly kind: 'joined'; readonly parts: readonly Mask[]; readonly axis: number }
  /** Made inside a nested model from something that only it has. */
  | { readonly kind: 'unreachable'; readonly model: string };

/**
 * The OR or AND of masks.
 *
 * @param kind Which.
 * @param masks At least one.
 * @returns The mask; one that occurs twice counts once.
 */
export function combined(kind: 'or' | 'and', masks: readonly Mask[]): Mask {
  const distinct = masks.filter(
    (mask, i) => masks.findIndex((other) => keyOf(other) === keyOf(mask)) === i,
  );
  return distinct.length === 1 ? distinct[0] : { kind, parts: distinct };
}

/**
 * A text that is the same for masks that are.
 *
 * @param mask A mask.
 * @returns The text.
 */
export function keyOf(mask: Mask): string {
  if ('parts' in mask) {
    const axis = mask.kind === 'joined' ? mask.axis : '';
    return `${mask.kind}${axis}(${mask.parts.map(keyOf).join()})`;
  }
  if (mask.kind === 'unreachable') return `unreachable:${mask.model}`;
  return `${mask.kind}${'value' in mask ? mask.value : ''}:${mask.of.id}`;
}

/** A mask that is made from a tensor. */
export type MaskLeaf = Exclude<Mask, { parts: unknown } | { kind: 'unreachable' }>;

/**
 * A mask with others in the place of those that it is made from.
 *
 * @param mask A mask.
 * @param replacement What stands for a part that is made from a tensor.
 * @returns The mask.
 */
export function translated(mask: Mask, replacement: (leaf: MaskLeaf) => Mask): Mask {
  if ('parts' in mask) {
    return { ...mask, parts: mask.parts.map((part) => translated(part, replacement)) };
  }
  return mask.kind === 'unreachable' ? mask : replacement(mask);
}
