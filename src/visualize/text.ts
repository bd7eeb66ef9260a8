/** Masks and attention as text for a terminal. */
import { assertInteger, assertKnownOptions } from '../util/errors.js';
import {
  formatValue,
  GRID_OPTIONS,
  readGrid,
  type Grid,
  type HeatMapOptions,
  type HeatMapValues,
} from './grid.js';
import { cut, displayWidth, downwards, pad } from './labels.js';
import { colorDepth, onColor, type Color, type ColorChoice } from './terminal.js';

/** Options of {@link text}. */
export interface TextOptions extends HeatMapOptions {
  /**
   * Colors: `'auto'` (default) where standard output is a terminal and `NO_COLOR` is not set, `true`, `false`,
   * `'256'` or `'truecolor'`.
   */
  color?: ColorChoice;
  /** Terminal cells that a line should fit in, 80 by default. Wider maps write the labels of keys downwards. */
  width?: number;
  /** Terminal cells after which a label is cut, 12 by default. */
  labelWidth?: number;
}

const VISIBLE = '●';
const HIDDEN = '·';
const UNDEFINED = '?';
const SHADES = ['░', '▒', '▓', '█'];

const VISIBLE_COLOR: Color = [38, 139, 210];
const HIDDEN_COLOR: Color = [58, 62, 70];
const UNDEFINED_COLOR: Color = [215, 60, 50];

/** From no attention to all: the five anchor colors of the viridis map. */
const RAMP: Color[] = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

/**
 * Draws a mask or an attention map as text: one row for each query, one column for each key.
 *
 *     console.log(await visualize.text(masks.causal(3), { keyLabels: ['a', 'b', 'c'], queryLabels: ['a', 'b', 'c'] }));
 *
 *       a b c
 *     a ● · ·
 *     b ● ● ·
 *     c ● ● ●
 *     ● may attend   · hidden
 *     rows: queries, columns: keys
 *
 * Scores are shaded `· ░ ▒ ▓ █` (exactly 0, then a quarter of the scale each), or colored where the terminal has
 * colors; NaN shows as `?`. Control characters in labels are made visible.
 *
 * @param values Tensor or nested arrays [T, S], [B, T, S] or [B, N, T, S]; an axis of size 1 stands for every index.
 * @param options Labels, title, scale, colors; see {@link TextOptions}.
 * @returns Lines joined by line feeds, none at the end.
 * @throws Error when shape, labels or options do not fit.
 */
export async function text(values: HeatMapValues, options: TextOptions = {}): Promise<string> {
  const where = 'visualize.text';
  assertKnownOptions(where, options, [...GRID_OPTIONS, 'color', 'width', 'labelWidth']);
  const { color = 'auto', width = 80, labelWidth = 12 } = options;
  assertInteger(where, 'width', width);
  assertInteger(where, 'labelWidth', labelWidth);
  const depth = colorDepth(where, color);
  const grid = await readGrid(where, values, options);

  const rowLabels = grid.rowLabels.map((label) => cut(label, labelWidth));
  const columnLabels = grid.columnLabels.map((label) => cut(label, labelWidth));
  const left = widest(rowLabels);
  const { cell, gap, across } = layOut(grid, columnLabels, left, width);

  const lines: string[] = grid.title === '' ? [] : [grid.title];
  const addLine = (label: string, cells: string[], end = ''): void => {
    lines.push(`${pad(label, left, 'right')} ${cells.join('')}`.trimEnd() + end);
  };
  if (across) {
    addLine(
      '',
      columnLabels.map((label) => pad(label, cell, 'center') + ' '.repeat(gap)),
    );
  } else {
    const letters = columnLabels.map(downwards);
    const height = Math.max(...letters.map(({ length }) => length));
    for (let i = 0; i < height; i++) {
      addLine(
        '',
        letters.map((l) => pad(l[i - height + l.length] ?? '', cell, 'center') + ' '.repeat(gap)),
      );
    }
  }
  rowLabels.forEach((label, row) => {
    const cells = columnLabels.map((_, column) => {
      const glyph = pad(glyphOf(grid, row, column, cell), cell, 'center') + ' '.repeat(gap);
      return depth === 'none' ? glyph : onColor(blank(glyph), colorOf(grid, row, column), depth);
    });
    addLine(label, cells);
  });
  if (grid.legend) lines.push(legend(grid, depth));
  return lines.join('\n');
}

/** In color, shades are not needed: only the marks that a color cannot show stay. */
function blank(glyph: string): string {
  return glyph.replace(/[·░▒▓█]/g, ' ');
}

/** Labels across while they fit, else downwards; gaps between cells while they fit. */
function layOut(
  grid: Grid,
  labels: string[],
  left: number,
  width: number,
): { cell: number; gap: number; across: boolean } {
  const least = grid.kind === 'mask' ? 1 : 2; // two cells beside one another look square
  const cell = Math.max(least, widest(labels));
  if (left + 1 + labels.length * (cell + 1) - 1 <= width) return { cell, gap: 1, across: true };
  const narrow = Math.max(1, ...labels.flatMap((label) => downwards(label).map(displayWidth)));
  const gap = left + 1 + labels.length * (narrow + 1) - 1 <= width ? 1 : 0;
  return { cell: narrow, gap, across: false };
}

function widest(labels: string[]): number {
  return Math.max(...labels.map(displayWidth));
}

function glyphOf(grid: Grid, row: number, column: number, cell: number): string {
  const fraction = grid.fraction(row, column);
  if (Number.isNaN(fraction)) return UNDEFINED;
  if (grid.kind === 'mask') return fraction === 1 ? VISIBLE : HIDDEN;
  if (grid.at(row, column) === 0 && grid.min === 0) return HIDDEN;
  return SHADES[Math.max(0, Math.ceil(fraction * 4) - 1)].repeat(cell);
}

function colorOf(grid: Grid, row: number, column: number): Color {
  const fraction = grid.fraction(row, column);
  if (Number.isNaN(fraction)) return UNDEFINED_COLOR;
  if (grid.kind === 'mask') return fraction === 1 ? VISIBLE_COLOR : HIDDEN_COLOR;
  if (grid.at(row, column) === 0 && grid.min === 0) return HIDDEN_COLOR;
  return ramp(fraction);
}

function ramp(fraction: number): Color {
  const place = fraction * (RAMP.length - 1);
  const low = Math.min(Math.floor(place), RAMP.length - 2);
  const mix = (i: number): number =>
    Math.round(RAMP[low][i] + (place - low) * (RAMP[low + 1][i] - RAMP[low][i]));
  return [mix(0), mix(1), mix(2)];
}

function legend(grid: Grid, depth: ReturnType<typeof colorDepth>): string {
  const axes = 'rows: queries, columns: keys';
  const mark = (glyph: string, color: Color): string => onColor(glyph, color, depth);
  const swatch = (glyph: string): string => (depth === 'none' ? glyph : ` ${blank(glyph)} `);
  const nan = grid.hasNaN ? `   ${mark(swatch(UNDEFINED), UNDEFINED_COLOR)} NaN` : '';
  if (grid.kind === 'mask') {
    const may = mark(swatch(VISIBLE), VISIBLE_COLOR);
    return `${may} may attend   ${mark(swatch(HIDDEN), HIDDEN_COLOR)} hidden${nan}\n${axes}`;
  }
  const parts =
    grid.min === 0
      ? [`${mark(swatch(HIDDEN), HIDDEN_COLOR)} ${depth === 'none' ? '' : 'exactly '}0`]
      : [];
  const low = formatValue(grid.min);
  const high = formatValue(grid.max);
  if (depth === 'none') {
    const step = (grid.max - grid.min) / 4;
    SHADES.forEach((shade, i) => parts.push(`${shade} ≤${formatValue(grid.min + step * (i + 1))}`));
  } else {
    const bar = Array.from({ length: 16 }, (_, i) => mark(' ', ramp(i / 15))).join('');
    parts.push(`${low} ${bar} ${high}`);
  }
  return `${parts.join('   ')}${nan}\n${axes}`;
}
