/** The ratios that the repository holds, to hold new ones against. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Timing } from '../pairs.js';

const FILE = fileURLToPath(new URL('committed.json', import.meta.url));

type Ratios = Record<string, number>;
type Runs = Record<'quick' | 'full', Ratios>;

/**
 * Keeps the medians of a run, in the place of those of its kind; what the run had no ratio for keeps its old one.
 *
 * @param kind Ratios of small sizes stand apart from those of a whole run.
 * @param ratios By name.
 */
export function commit(kind: keyof Runs, ratios: Record<string, Timing>): void {
  const runs = read();
  for (const [name, { median }] of Object.entries(ratios)) runs[kind][name] = rounded(median);
  writeFileSync(FILE, `${JSON.stringify(runs, null, 2)}\n`);
}

/**
 * Says which ratios changed. A median may halve because a neighbour was busy during half of the rounds; so a ratio counts as
 * halved when not one round has reached half of what is committed.
 *
 * @param kind What to compare with.
 * @param ratios By name, of this run.
 * @returns A line for each, and the names of those that have more than halved.
 */
export function compare(
  kind: keyof Runs,
  ratios: Record<string, Timing>,
): { lines: string[]; halved: string[] } {
  const committed = read()[kind];
  const halved: string[] = [];
  const lines = Object.entries(ratios).map(([name, { median, min, max }]) => {
    const now = `${name}: ${rounded(median)} (${rounded(min)}–${rounded(max)})`;
    if (!(name in committed)) return `${now}, none committed`;
    const before = committed[name];
    if (max < before / 2) halved.push(name);
    const verdict =
      max < before / 2
        ? '  MORE THAN HALVED'
        : median < (2 / 3) * before
          ? '  dropped by more than a third'
          : '';
    return `${now}, committed ${before}${verdict}`;
  });
  return { lines, halved };
}

const rounded = (ratio: number): number => Number(ratio.toPrecision(3));

function read(): Runs {
  if (!existsSync(FILE)) return { quick: {}, full: {} };
  return JSON.parse(readFileSync(FILE, 'utf8')) as Runs;
}
