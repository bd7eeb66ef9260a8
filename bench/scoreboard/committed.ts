/** The ratios that the repository holds, to hold new ones against. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('committed.json', import.meta.url));

type Ratios = Record<string, number>;
type Runs = Record<'quick' | 'full', Ratios>;

/**
 * Keeps the ratios of a run, in the place of those of its kind; what the run had no ratio for keeps its old one.
 *
 * @param kind Ratios of small sizes stand apart from those of a whole run.
 * @param ratios By name.
 */
export function commit(kind: keyof Runs, ratios: Ratios): void {
  const runs = read();
  runs[kind] = { ...runs[kind], ...ratios };
  writeFileSync(FILE, `${JSON.stringify(runs, null, 2)}\n`);
}

/**
 * Says which ratios changed.
 *
 * @param kind What to compare with.
 * @param ratios By name, of this run.
 * @returns A line for each, and the names of those that are less than half of what they were.
 */
export function compare(kind: keyof Runs, ratios: Ratios): { lines: string[]; halved: string[] } {
  const committed = read()[kind];
  const halved: string[] = [];
  const lines = Object.entries(ratios).map(([name, ratio]) => {
    const before = committed[name];
    if (before === undefined) return `${name}: ${ratio}, none committed`;
    if (ratio < before / 2) halved.push(name);
    const verdict =
      ratio < before / 2
        ? '  MORE THAN HALVED'
        : ratio < (2 / 3) * before
          ? '  dropped by more than a third'
          : '';
    return `${name}: ${ratio}, committed ${before}${verdict}`;
  });
  return { lines, halved };
}

function read(): Runs {
  if (!existsSync(FILE)) return { quick: {}, full: {} };
  return JSON.parse(readFileSync(FILE, 'utf8')) as Runs;
}
