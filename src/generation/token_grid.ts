/**
 * The rows of a batch as the columns that a model is fed: shorter prompts are filled up on the left, so that all rows
 * end, and go on, in the same column.
 *
 *     prompts [5, 6, 7], [8]   →   5 6 7 │ 9 4 …        positions   0 1 2 │ 3 4 …
 *                                  · · 8 │ 3 1 …                    · · 0 │ 1 2 …
 */
export class TokenGrid {
  /** Ids of each row, prompt included, padding not. A finished row does not grow. */
  readonly rows: number[][];
  /** Length of each prompt. */
  readonly promptLengths: readonly number[];
  /** Which rows are finished. */
  readonly finished: boolean[];
  /** What the model sees, [B][width], −1 for padding. */
  private readonly cells: number[][];
  /** Columns of padding before each row. */
  private readonly padding: readonly number[];

  /**
   * @param prompts Ids of each row, none empty.
   * @param padId Id that stands for padding where the model sees one.
   */
  constructor(
    prompts: readonly (readonly number[])[],
    private readonly padId: number,
  ) {
    this.rows = prompts.map((ids) => [...ids]);
    this.promptLengths = prompts.map((ids) => ids.length);
    this.finished = prompts.map(() => false);
    const width = Math.max(...this.promptLengths);
    this.padding = this.promptLengths.map((length) => width - length);
    this.cells = prompts.map((ids, b) => [...Array<number>(this.padding[b]).fill(-1), ...ids]);
  }

  /** Number of columns. */
  get width(): number {
    return this.cells[0].length;
  }

  /** Whether a column was appended to the prompts. */
  get isStarted(): boolean {
    return this.width > Math.max(...this.promptLengths);
  }

  /** Whether some row starts with padding: only then does a model need positions and a mask. */
  get isPadded(): boolean {
    return this.padding.some((count) => count > 0);
  }

  /** Number of columns at the start that another grid of cells has too. */
  commonWidth(others: readonly (readonly number[])[]): number {
    let common = this.width;
    this.cells.forEach((row, b) => {
      let c = 0;
      while (c < common && c < others[b].length && others[b][c] === row[c]) c++;
      common = c;
    });
    return common;
  }

  /**
   * Appends a column.
   *
   * @param ids New id of each row; what it is does not matter for a finished row.
   */
  append(ids: readonly number[]): void {
    this.cells.forEach((row, b) => {
      row.push(this.finished[b] ? -1 : ids[b]);
      if (!this.finished[b]) this.rows[b].push(ids[b]);
    });
  }

  /** Cells of the columns from `from` on, −1 for padding. */
  cellsFrom(from: number): number[][] {
    return this.cells.map((row) => row.slice(from));
  }

  /** Ids of the columns from `from` on, [B·T]. */
  idsFrom(from: number): Int32Array {
    return this.flat(from, (id) => (id < 0 ? this.padId : id));
  }

  /** 1 where a token is real, 0 where it is padding before a prompt, [B·T]. */
  maskFrom(from: number): Int32Array {
    return this.flat(from, (_, b, column) => (column < this.padding[b] ? 0 : 1));
  }

  /** Running count of real tokens, 0 for padding, [B·T]. It stands still in a finished row: nobody reads it there. */
  positionsFrom(from: number): Int32Array {
    return this.flat(from, (_, b, column) =>
      Math.min(Math.max(0, column - this.padding[b]), this.rows[b].length - 1),
    );
  }

  /** Whether a column from `from` on holds padding before a prompt. */
  hasPaddingFrom(from: number): boolean {
    return this.padding.some((count) => count > from);
  }

  private flat(from: number, value: (id: number, b: number, column: number) => number): Int32Array {
    const T = this.width - from;
    const values = new Int32Array(this.cells.length * T);
    this.cells.forEach((row, b) => {
      for (let t = 0; t < T; t++) values[b * T + t] = value(row[from + t], b, from + t);
    });
    return values;
  }
}
