/**
 * Shapes, and the letters that name them throughout the package:
 *
 *     B batch · T query length · S key length · N query heads · K key/value heads (N = K·G) · G query heads per
 *     key/value head · H head size · D model width · F feed-forward width · V vocabulary · W window
 *
 * Attention operations use [B, T, N, H].
 */

/**
 * A shape as text, for error messages.
 *
 * @param shape Sizes; null is a size that is not known yet.
 * @returns For example `[2,null,8]`.
 */
export function shapeText(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => (size === null ? 'null' : size)).join(',')}]`;
}

/**
 * Whether a shape broadcasts to another one by numpy's rule: aligned at the last axis, each size equal or 1.
 *
 * @param shape The smaller shape.
 * @param target The shape to reach.
 * @returns True when it does.
 */
export function broadcastsTo(shape: readonly number[], target: readonly number[]): boolean {
  if (shape.length > target.length) return false;
  const skip = target.length - shape.length;
  return shape.every((size, i) => size === 1 || size === target[skip + i]);
}

/**
 * Product of sizes.
 *
 * @param shape Sizes.
 * @returns Number of elements; 1 for a scalar.
 */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Turns a possibly negative axis into one counted from the front.
 *
 * @param where Name of the caller, for the error.
 * @param axis Axis, −rank … rank−1.
 * @param rank Number of axes.
 * @returns 0 … rank−1.
 * @throws Error when the axis is out of range.
 */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new Error(
      `${where}: axis must be an integer between ${-rank} and ${rank - 1} for rank ${rank}, got axis=${axis}.`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}
