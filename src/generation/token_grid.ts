/**
 * The rows of a batch as the columns that a model is fed: shorter prompts are filled up on the left, so that all rows
 * end, and go on, in the same column.
 *
 *     prompts [5, 6, 7], [8]   →   5 6 7 │ 9 4 …        positions   0 1 2 │ 3 4 …
 *                                  · · 8 │ 3 1 …                    · · 0 │ 1 2 …
 */
export class TokenGrid {
  private list: Row[];

  /**
   * @param prompts Ids of each row, none empty.
   * @param padId Id that stands for padding where the model sees one.
   */
  constructor(
    prompts: readonly (readonly number[])[],
    private readonly padId: number,
  ) {
    const width = Math.max(...prompts.map((ids) => ids.length));
    this.list = prompts.map((ids, promptIndex) => ({
      promptIndex,
      promptLength: ids.length,
      padding: width - ids.length,
      ids: [...ids],
      cells: [...Array<number>(width - ids.length).fill(-1), ...ids],
      isFinished: false,
    }));
  }

  /** The rows. */
  get rows(): readonly GridRow[] {
    return this.list;
  }

  /** Number of columns. */
  get width(): number {
    return this.list[0].cells.length;
  }

  /** Whether a column was appended to the prompts. */
  get isStarted(): boolean {
    const { padding, promptLength } = this.list[0];
    return this.width > padding + promptLength;
  }

  /** Whether some row starts with padding: only then does a model need positions and a mask. */
  get isPadded(): boolean {
    return this.list.some(({ padding }) => padding > 0);
  }

  /** Number of columns at the start that another grid of cells has too. */
  commonWidth(others: readonly (readonly number[])[]): number {
    let common = this.width;
    this.list.forEach(({ cells }, b) => {
      let c = 0;
      while (c < common && c < others[b].length && others[b][c] === cells[c]) c++;
      common = c;
    });
    return common;
  }

  /**
   * Replaces the rows by a selection of them.
   *
   * @param rows For each new row the old one that it continues.
   */
  select(rows: readonly number[]): void {
    this.list = rows.map((row) => {
      const old = this.list[row];
      return { ...old, ids: [...old.ids], cells: [...old.cells] };
    });
  }

  /**
   * Appends a column.
   *
   * @param ids New id of each row; what it is does not matter for a finished row.
   */
  append(ids: readonly number[]): void {
    this.list.forEach((row, b) => {
      row.cells.push(row.isFinished ? -1 : ids[b]);
      if (!row.isFinished) row.ids.push(ids[b]);
    });
  }

  /**
   * Marks a row as finished: it does not grow any more.
   *
   * @param b Its number.
   */
  finish(b: number): void {
    this.list[b].isFinished = true;
  }

  /** Cells of the columns from … to, −1 for padding. */
  cells(from: number, to: number): number[][] {
    return this.list.map(({ cells }) => cells.slice(from, to));
  }

  /** Ids of the columns from … to, [B·T]. */
  ids(from: number, to: number): Int32Array {
    return this.flat(from, to, ({ cells }, column) =>
      cells[column] < 0 ? this.padId : cells[column],
    );
  }

  /** 1 where a token is real, 0 where it is padding before a prompt, [B·T]. */
  mask(from: number, to: number): Int32Array {
    return this.flat(from, to, ({ padding }, column) => (column < padding ? 0 : 1));
  }

  /** Running count of real tokens, 0 for padding, [B·T]. It stands still in a finished row: nobody reads it there. */
  positions(from: number, to: number): Int32Array {
    return this.flat(from, to, ({ padding, ids }, column) =>
      Math.min(Math.max(0, column - padding), ids.length - 1),
    );
  }

  /** Whether a column from `from` on holds padding before a prompt. */
  hasPaddingFrom(from: number): boolean {
    return this.list.some(({ padding }) => padding > from);
  }

  private flat(from: number, to: number, value: (row: Row, column: number) => number): Int32Array {
    const T = to - from;
    const values = new Int32Array(this.list.length * T);
    this.list.forEach((row, b) => {
      for (let t = 0; t < T; t++) values[b * T + t] = value(row, from + t);
    });
    return values;
  }
}

/** One row, as others see it. */
export interface GridRow {
  /** Number of the prompt that it continues. */
  readonly promptIndex: number;
  /** Length of that prompt. */
  readonly promptLength: number;
  /** Its ids, prompt included, padding not. A finished row does not grow. */
  readonly ids: readonly number[];
  /** Whether it is finished. */
  readonly isFinished: boolean;
}

interface Row extends GridRow {
  ids: number[];
  /** What the model sees, [width], −1 for padding. */
  readonly cells: number[];
  /** Columns of padding before it. */
  readonly padding: number;
  isFinished: boolean;
}
