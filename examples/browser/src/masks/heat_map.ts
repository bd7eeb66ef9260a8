/** A grid of cells, one row a query and one column a key, to be read with the eye, the keyboard or a screen reader. */
import { element } from '../element.js';

/** How one cell looks and reads. */
export interface Cell {
  /** Short text inside; may be empty. */
  text: string;
  /** Full text for screen readers. */
  says: string;
  /** Which colour: a mask's "may look", a positive or a negative number, no number at all. */
  tone: 'may' | 'plus' | 'minus' | 'odd';
  /** How much of it, 0 … 1. */
  strength: number;
  /** Hatched. */
  hidden?: boolean;
  /** Marked as something that should have been hidden. */
  leak?: boolean;
}

/** What a map shows. */
export interface MapContent {
  /** Accessible name. */
  label: string;
  /** Words of the rows. */
  queries: readonly string[];
  /** Words of the columns. */
  keys: readonly string[];
  /** The cells. */
  cell: (query: number, key: number) => Cell;
}

/** A map in the page. */
export interface HeatMap {
  /** Put this into the page. */
  element: HTMLElement;
  /** Shows other content. */
  update: (content: MapContent) => void;
  /** Marks a cell, and the words of its row and column. */
  pick: (query: number, key: number) => void;
}

const CJK = /[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]/;

/**
 * Makes an empty map.
 *
 * @param onPick Called with the cell under the pointer or with the focus; without it cells only read.
 * @returns The map.
 */
export function makeHeatMap(onPick?: (query: number, key: number) => void): HeatMap {
  const grid = element('div', { role: 'grid', class: 'map' });
  let cells: HTMLElement[][] = [];
  let rowHeads: HTMLElement[] = [];
  let columnHeads: HTMLElement[] = [];
  let picked: [number, number] = [0, 0];

  const build = (rows: number, columns: number): void => {
    const head = (role: string): HTMLElement =>
      element('div', { role, class: 'word' }, element('span'));
    columnHeads = Array.from({ length: columns }, () => head('columnheader'));
    rowHeads = Array.from({ length: rows }, () => head('rowheader'));
    cells = rowHeads.map((_, query) =>
      columnHeads.map((_, key) =>
        element('div', { role: 'gridcell', tabindex: -1, 'data-query': query, 'data-key': key }),
      ),
    );
    const row = (...children: HTMLElement[]): HTMLElement =>
      element('div', { role: 'row', class: 'map-row' }, ...children);
    grid.replaceChildren(
      row(
        element('div', { role: 'columnheader', class: 'corner', 'aria-label': '' }),
        ...columnHeads,
      ),
      ...cells.map((line, query) => row(rowHeads[query], ...line)),
    );
    grid.style.setProperty('--columns', String(columns));
    grid.classList.toggle('many', columns > 8);
  };

  const pick = (query: number, key: number): void => {
    const [oldQuery, oldKey] = picked;
    cells[oldQuery]?.[oldKey]?.classList.remove('picked');
    for (const other of [rowHeads[oldQuery], columnHeads[oldKey]]) other?.classList.remove('lit');
    for (const cell of grid.querySelectorAll('[tabindex="0"]')) cell.setAttribute('tabindex', '-1');
    picked = [query, key];
    const cell = cells[query]?.[key] as HTMLElement | undefined;
    if (!cell) return;
    cell.tabIndex = 0;
    if (!onPick) return;
    cell.classList.add('picked');
    for (const word of [rowHeads[query], columnHeads[key]]) word.classList.add('lit');
  };

  const placeOf = (target: EventTarget | null): [number, number] | undefined => {
    const cell = (target as HTMLElement | null)?.closest<HTMLElement>('[role="gridcell"]');
    return cell ? [Number(cell.dataset.query), Number(cell.dataset.key)] : undefined;
  };
  const follow = (event: Event): void => {
    const place = placeOf(event.target);
    if (!place) return;
    if (onPick) onPick(...place);
    else if (event.type === 'focusin') pick(...place);
  };
  grid.addEventListener('pointerover', follow);
  grid.addEventListener('focusin', follow);
  grid.addEventListener('keydown', (event) => {
    const place = placeOf(event.target);
    if (!place) return;
    const [rows, columns] = [cells.length, cells[0].length];
    const next = moved(event, place, rows, columns);
    if (!next) return;
    event.preventDefault();
    cells[next[0]][next[1]].focus();
  });

  return {
    element: grid,
    pick,
    update: ({ label, queries, keys, cell }) => {
      grid.setAttribute('aria-label', label);
      if (queries.length !== cells.length || keys.length !== (cells[0]?.length ?? 0))
        build(queries.length, keys.length);
      write(rowHeads, queries);
      write(columnHeads, keys);
      cells.forEach((line, query) => line.forEach((node, key) => dress(node, cell(query, key))));
      pick(Math.min(picked[0], queries.length - 1), Math.min(picked[1], keys.length - 1));
    },
  };
}

function write(heads: HTMLElement[], words: readonly string[]): void {
  heads.forEach((head, i) => {
    head.firstElementChild!.textContent = words[i];
    head.title = words[i];
    head.classList.toggle('upright', CJK.test(words[i]));
  });
}

function dress(node: HTMLElement, cell: Cell): void {
  node.className = `cell ${cell.tone}`;
  node.classList.toggle('middling', cell.strength > 0.61);
  node.classList.toggle('deep', cell.strength > 0.81);
  node.classList.toggle('hidden-cell', cell.hidden ?? false);
  node.classList.toggle('leak', cell.leak ?? false);
  node.style.setProperty('--strength', cell.strength.toFixed(3));
  node.textContent = cell.text;
  node.setAttribute('aria-label', cell.says);
}

/** Where a key of the keyboard leads from a cell; undefined for keys that are not the grid's. */
function moved(
  { key, ctrlKey }: KeyboardEvent,
  [query, column]: [number, number],
  rows: number,
  columns: number,
): [number, number] | undefined {
  const clip = (value: number, size: number): number => Math.max(0, Math.min(size - 1, value));
  switch (key) {
    case 'ArrowLeft':
      return [query, clip(column - 1, columns)];
    case 'ArrowRight':
      return [query, clip(column + 1, columns)];
    case 'ArrowUp':
      return [clip(query - 1, rows), column];
    case 'ArrowDown':
      return [clip(query + 1, rows), column];
    case 'Home':
      return [ctrlKey ? 0 : query, 0];
    case 'End':
      return [ctrlKey ? rows - 1 : query, columns - 1];
    default:
      return undefined;
  }
}
