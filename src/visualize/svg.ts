/** Masks and attention as SVG. */
import { assert, assertKnownOptions, assertNumber } from '../util/errors.js';
import {
  formatValue,
  GRID_OPTIONS,
  readGrid,
  type Grid,
  type HeatMapOptions,
  type HeatMapValues,
} from './grid.js';
import { cut, displayWidth } from './labels.js';

/** Options of {@link svg}. */
export interface SvgOptions extends HeatMapOptions {
  /** Width and height of a cell in pixels, 28 by default. */
  cellSize?: number;
}

const FONT = 12;
const LETTER = 0.61 * FONT; // advance of a monospace font
const SLANT = Math.SQRT1_2; // labels at 45°
const MARGIN = 12;
const LABEL_WIDTH = 24;
const MOST_CELLS = 65_536;

/** Light, and dark where the reader's system is: the page's own background shows through. */
const STYLE = [
  `.hm text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#2b3440}`,
  '.hm .hm-title{font-weight:bold}.hm .hm-axis{fill:#6b7684}',
  '.hm .hm-base{fill:#e6ebf1}.hm .hm-value{fill:#1a56b0}.hm .hm-nan{fill:#d33c32}',
  '@media (prefers-color-scheme:dark){.hm text{fill:#dde4ec}.hm .hm-axis{fill:#8d99a8}',
  '.hm .hm-base{fill:#2a323d}.hm .hm-value{fill:#6cb6ff}.hm .hm-nan{fill:#ff7b72}}',
].join('');

/**
 * Draws a mask or an attention map as a standalone SVG: one row for each query, one column for each key. It needs no
 * script and no font file, reads on light and dark pages, and names query, key and value of a cell under the pointer.
 *
 *     writeFileSync('causal.svg', await visualize.svg(masks.causal(3), { title: 'causal' }));
 *
 * @param values Tensor or nested arrays [T, S], [B, T, S] or [B, N, T, S]; an axis of size 1 stands for every index.
 * @param options Labels, title, scale, size of a cell; see {@link SvgOptions}.
 * @returns The text of an SVG file.
 * @throws Error when shape, labels or options do not fit, or for more than 65,536 cells.
 */
export async function svg(values: HeatMapValues, options: SvgOptions = {}): Promise<string> {
  const where = 'visualize.svg';
  assertKnownOptions(where, options, [...GRID_OPTIONS, 'cellSize']);
  const cell = assertNumber(where, 'cellSize', options.cellSize ?? 28, 2);
  const grid = await readGrid(where, values, options);
  assert(
    grid.rows * grid.columns <= MOST_CELLS,
    () =>
      `${where}: at most ${MOST_CELLS} cells can be drawn, got ${grid.rows}×${grid.columns}. ` +
      'Take a part of the values with tf.slice.',
  );

  const rowLabels = grid.rowLabels.map((label) => cut(label, LABEL_WIDTH));
  const columnLabels = grid.columnLabels.map((label) => cut(label, LABEL_WIDTH));
  const columnWidth = LETTER * widest(columnLabels);
  const slanted = columnWidth > cell - 2;
  const every = Math.max(1, Math.ceil((FONT + 2) / cell)); // small cells: label every second, third …
  const title = grid.title === '' ? 0 : FONT + 12;
  const left = Math.ceil(MARGIN + LETTER * Math.max(widest(rowLabels), 'query ↓'.length) + 8);
  const labelHeight = slanted ? SLANT * (columnWidth + FONT) + 4 : FONT + 6;
  const top = Math.ceil(MARGIN + title + FONT + 8 + labelHeight);
  const right = left + grid.columns * cell;
  const bottom = top + grid.rows * cell;
  const key = grid.legend ? legend(grid, left, bottom + 14) : { parts: [], end: 0 };
  const ends = columnLabels.map(
    (label, column) => left + (column + 0.5) * cell + SLANT * LETTER * displayWidth(label),
  );
  const titleWidth = MARGIN + LETTER * 1.05 * displayWidth(grid.title);
  const width = Math.max(right, ...(slanted ? ends : []), key.end, titleWidth) + MARGIN;
  const height = bottom + (grid.legend ? 14 + FONT + MARGIN : MARGIN);

  const parts: string[] = [];
  const say = (x: number, y: number, content: string, more = ''): void => {
    parts.push(`<text x="${round(x)}" y="${round(y)}"${more}>${escape(content)}</text>`);
  };
  if (title > 0) say(MARGIN, MARGIN + FONT, grid.title, ' class="hm-title"');
  say(left, MARGIN + title + FONT, 'key →', ' class="hm-axis"');
  say(left - 8, top - 6, 'query ↓', ' class="hm-axis" text-anchor="end"');
  columnLabels.forEach((label, column) => {
    if (column % every > 0) return;
    const x = left + (column + 0.5) * cell;
    if (slanted) {
      const at = `${round(x + 4)} ${round(top - 6)}`;
      say(x + 4, top - 6, label, ` transform="rotate(-45 ${at})"`);
    } else say(x, top - 6, label, ' text-anchor="middle"');
  });
  rowLabels.forEach((label, row) => {
    if (row % every > 0) return;
    say(left - 8, top + (row + 0.5) * cell + 0.35 * FONT, label, ' text-anchor="end"');
  });
  for (const part of cells(grid, left, top, cell)) parts.push(part);
  parts.push(...key.parts);

  const name = escape(grid.title || (grid.kind === 'mask' ? 'Attention mask' : 'Attention scores'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="hm" role="img" aria-label="${name}" ` +
      `width="${Math.ceil(width)}" height="${Math.ceil(height)}" ` +
      `viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}">`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/**
 * The grounds, then a rectangle a cell whose opacity is the value. A score of exactly 0, a key that got no weight at
 * all, has a ground of a third of the size: it must not look like a small weight.
 */
function cells(grid: Grid, left: number, top: number, cell: number): string[] {
  const side = cell > 8 ? cell - 2 : cell;
  const inset = (cell - side) / 2;
  const corner = side >= 16 ? 3 : 0;
  const ground: string[] = [];
  const values: string[] = [];
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const x = round(left + column * cell + inset);
      const y = round(top + row * cell + inset);
      const fraction = grid.fraction(row, column);
      const look = Number.isNaN(fraction)
        ? 'class="hm-nan"'
        : `class="hm-value" fill-opacity="${round(fraction)}"`;
      const shrink = isNothing(grid, row, column) ? side / 3 : 0;
      const size = round(side - 2 * shrink);
      ground.push(
        `<rect x="${round(x + shrink)}" y="${round(y + shrink)}" width="${size}" height="${size}" rx="${corner}"/>`,
      );
      values.push(
        `<rect ${look} x="${x}" y="${y}" width="${side}" height="${side}" rx="${corner}">` +
          `<title>${escape(cellTitle(grid, row, column))}</title></rect>`,
      );
    }
  }
  const crisp = cell > 8 ? '' : ' shape-rendering="crispEdges"'; // no seams between cells that touch
  return [`<g class="hm-base"${crisp}>`, ...ground, '</g>', `<g${crisp}>`, ...values, '</g>'];
}

function isNothing(grid: Grid, row: number, column: number): boolean {
  return grid.kind === 'scores' && grid.min === 0 && grid.at(row, column) === 0;
}

function cellTitle(grid: Grid, row: number, column: number): string {
  const value = grid.at(row, column);
  const says = Number.isNaN(value)
    ? 'NaN'
    : grid.kind === 'mask'
      ? value === 0
        ? 'hidden'
        : 'may attend'
      : formatValue(value);
  return `query ${row} ${grid.rowLabels[row]} → key ${column} ${grid.columnLabels[column]}: ${says}`;
}

/** The elements of the legend, and where it ends. */
function legend(grid: Grid, x: number, y: number): { parts: string[]; end: number } {
  const parts: string[] = [];
  let end = x;
  const box = (look: string, size: number): void => {
    const place = `x="${round(end)}" y="${round(y + (FONT - size) / 2)}"`;
    parts.push(`<rect ${look} ${place} width="${size}" height="${size}" rx="2"/>`);
  };
  const say = (content: string, before = 0, after = 18): void => {
    parts.push(`<text x="${round(end + before)}" y="${round(y + FONT - 2)}">${content}</text>`);
    end += before + LETTER * content.length + after;
  };
  if (grid.kind === 'mask') {
    box('class="hm-value"', FONT);
    say('may attend', FONT + 6);
    box('class="hm-base"', FONT);
    say('hidden', FONT + 6);
  } else {
    say(formatValue(grid.min), 0, 6);
    const steps = 16;
    for (let i = 0; i < steps; i++, end += 6) {
      const place = `x="${round(end)}" y="${round(y)}" width="6" height="${FONT}"`;
      parts.push(`<rect class="hm-base" ${place}/>`);
      parts.push(`<rect class="hm-value" fill-opacity="${round(i / (steps - 1))}" ${place}/>`);
    }
    say(formatValue(grid.max), 6);
    if (grid.min === 0) {
      box('class="hm-base"', FONT / 3);
      say('exactly 0', FONT / 3 + 6);
    }
  }
  if (grid.hasNaN) {
    box('class="hm-nan"', FONT);
    say('NaN', FONT + 6);
  }
  return { parts, end };
}

function widest(labels: string[]): number {
  return Math.max(...labels.map(displayWidth));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function escape(content: string): string {
  return content
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
