import { assert, describe } from './errors.js';
import { assertExactIntegers } from './half_floats.js';

/** Token ids on the host: one sequence, or sequences in arrays, to any depth. */
export type TokenIds = ArrayLike<number> | readonly TokenIds[];

/**
 * Checks token ids where they come in from the host; on a device an id out of range is undefined. Where WebGL stores
 * 16-bit floats ids above 2,048 are refused.
 *
 * @param where Name of the function that was called.
 * @param ids Numbers, or nested arrays of them.
 * @param vocabularySize V; ids are 0 … V−1.
 * @throws Error naming the first wrong id and where it is, for example
 *   `generate: token ids must be integers between 0 and 95, got 96 at row 0, position 3.`
 */
export function assertTokenIds(where: string, ids: TokenIds, vocabularySize: number): void {
  let largest = 0;
  visit(ids, []);
  assertExactIntegers(where, 'token ids', largest);

  function visit(part: unknown, path: number[]): void {
    if (Array.isArray(part) || ArrayBuffer.isView(part)) {
      const items = part as unknown as ArrayLike<unknown>;
      for (let i = 0; i < items.length; i++) visit(items[i], [...path, i]);
      return;
    }
    assert(
      typeof part === 'number' && Number.isInteger(part) && part >= 0 && part < vocabularySize,
      () =>
        `${where}: token ids must be integers between 0 and ${vocabularySize - 1}, ` +
        `got ${describe(part)}${placeText(path)}.`,
    );
    largest = Math.max(largest, part);
  }
}

/** [0, 3] → ` at row 0, position 3`; more axes before the last are rows too: [1, 0, 3] → ` at row 1,0, position 3`. */
function placeText(path: number[]): string {
  if (path.length === 0) return '';
  const position = `position ${path[path.length - 1]}`;
  return path.length === 1 ? ` at ${position}` : ` at row ${path.slice(0, -1).join()}, ${position}`;
}
