/** One question of the scoreboard and its answer: a table of ways to do the same work. */
import { row, type Timing } from '../pairs.js';

/** One way to do the work. */
export interface Row {
  /** Who, and where it runs. */
  way: string;
  /** Figures, one for each column; of a way that cannot run, the reason alone. */
  cells: (string | Timing)[];
  /** How many times faster ours is, over the rounds; none in our own rows. */
  ratio?: Timing;
}

/** The answer to one question. */
export interface Table {
  /** Short name; with the name of a row it says which ratio a figure is. */
  name: string;
  /** The question. */
  question: string;
  /** What was done, with what, and what was asserted before it was timed. */
  notes: string;
  /** Heads of the columns between the first and the ratio. */
  columns: string[];
  rows: Row[];
}

/** How a question is asked. */
export interface Effort {
  /** Small sizes and few rounds, so that all questions together take minutes. */
  quick: boolean;
}

/**
 * A way that cannot take part.
 *
 * @param way Who.
 * @param reason What stops it; an error counts by its first line that says something.
 * @returns Its row.
 */
export function cannotRun(way: string, reason: unknown): Row {
  const text = reason instanceof Error ? reason.message : String(reason);
  const lines = text.split('\n').filter((line) => line !== '');
  // A bundler counts its errors first, and then says what they are.
  const line = lines[0].startsWith('Build failed') ? lines[1] : lines[0];
  return { way, cells: [`cannot run: ${line.slice(0, 200)}`] };
}

/**
 * The table in Markdown.
 *
 * @param table The answer.
 * @returns Its heading, notes and table.
 */
export function toMarkdown({ question, notes, columns, rows }: Table): string {
  const width = columns.length + 2;
  const lines = rows.map(({ way, cells, ratio }) => {
    const missing = columns.length - cells.length;
    return row(way, ...cells, ...Array<string>(missing).fill(''), ratio ?? '');
  });
  return [
    `## ${question}`,
    notes,
    [row('', ...columns, 'ours is faster by'), `|${'---|'.repeat(width)}`, ...lines].join('\n'),
  ].join('\n\n');
}

/**
 * The ratios of tables by name.
 *
 * @param tables Answers.
 * @returns `question / way` → ratio, over the rounds.
 */
export function ratiosOf(tables: Table[]): Record<string, Timing> {
  return Object.fromEntries(
    tables.flatMap(({ name, rows }) =>
      rows.flatMap(({ way, ratio }) => (ratio ? [[`${name} / ${way}`, ratio]] : [])),
    ),
  );
}
