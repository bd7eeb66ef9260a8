/** Blocks of text beside one another. */
import { assert, assertInteger, assertKnownOptions, describe } from '../util/errors.js';
import { displayWidth, pad } from './labels.js';

/** Options of {@link sideBySide}. */
export interface SideBySideOptions {
  /** Cells between two blocks, 4 by default. */
  gap?: number;
}

/**
 * Puts blocks of text beside one another, aligned at the top; colors and wide characters are measured rightly.
 *
 *     console.log(visualize.sideBySide([await visualize.text(padding), await visualize.text(causal)]));
 *
 * @param blocks Texts of any number of lines.
 * @param options `gap`.
 * @returns Lines joined by line feeds, none at the end.
 */
export function sideBySide(blocks: readonly string[], options: SideBySideOptions = {}): string {
  const where = 'visualize.sideBySide';
  assertKnownOptions(where, options, ['gap']);
  const gap = assertInteger(where, 'gap', options.gap ?? 4, 0);
  assert(
    Array.isArray(blocks) && blocks.every((block) => typeof block === 'string'),
    () => `${where}: blocks must be an array of strings, got blocks=${describe(blocks)}.`,
  );
  const columns = blocks.map((block) => block.split('\n'));
  const widths = columns.map((lines) => Math.max(...lines.map(displayWidth)));
  const height = Math.max(0, ...columns.map(({ length }) => length));
  return Array.from({ length: height }, (_, i) =>
    columns
      .map((lines, column) => pad(lines[i] ?? '', widths[column], 'left'))
      .join(' '.repeat(gap))
      .trimEnd(),
  ).join('\n');
}
