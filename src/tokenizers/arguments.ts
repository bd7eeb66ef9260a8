/** Checks on what callers hand to a tokenizer. */
import { assert, describe } from '../util/errors.js';

/**
 * Checks that a text is a string.
 *
 * @param where Name of the caller, for the error.
 * @param text What was given.
 */
export function checkText(where: string, text: unknown): asserts text is string {
  assert(
    typeof text === 'string',
    () => `${where}: text must be a string, got text=${describe(text)}.`,
  );
}

/**
 * Checks that ids come in a flat array.
 *
 * @param where Name of the caller, for the error.
 * @param ids What was given.
 */
export function checkIds(where: string, ids: unknown): asserts ids is ArrayLike<number> {
  assert(
    Array.isArray(ids) || (ArrayBuffer.isView(ids) && 'length' in ids),
    () =>
      `${where}: ids must be an array or a typed array of token ids, got ids=${describe(ids)}. ` +
      'Read a tensor with `await tensor.data()` first.',
  );
}

/**
 * Checks one token id.
 *
 * @param where Name of the caller, for the error.
 * @param id What was given.
 * @param size Number of ids.
 * @param position Index in an array of ids, for the error.
 * @returns The id.
 */
export function checkId(where: string, id: unknown, size: number, position?: number): number {
  assert(
    typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < size,
    () =>
      `${where}: token id must be an integer between 0 and ${size - 1}, ` +
      `got ${position === undefined ? 'id' : `ids[${position}]`}=${describe(id)}.`,
  );
  return id;
}
