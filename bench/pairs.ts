/** Times two ways of doing the same work, alternating, and reports medians, spread and their ratio. */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { createRequire } from 'node:module';

/** One side of a comparison: does the work and waits for it. */
export type Side = () => Promise<unknown>;

/** Milliseconds of one side. */
export interface Timing {
  median: number;
  min: number;
  max: number;
}

/**
 * Runs both sides in turn, so that noise of the machine hits both.
 *
 * @param ours First side.
 * @param peer Second side.
 * @param rounds How often; 5 by default.
 * @returns Timings and how many times faster ours is, with the range over the rounds.
 */
export async function pair(
  ours: Side,
  peer: Side,
  rounds = 5,
): Promise<{ ours: Timing; peer: Timing; ratio: Timing }> {
  await ours();
  await peer();
  const times: [number, number][] = [];
  for (let i = 0; i < rounds; i++) times.push([await time(ours), await time(peer)]);
  return {
    ours: timingOf(times.map(([a]) => a)),
    peer: timingOf(times.map(([, b]) => b)),
    ratio: timingOf(times.map(([a, b]) => b / a)),
  };
}

/**
 * Runs any number of sides in turn, each for a while a round.
 *
 * @param sides The sides, by name.
 * @param rounds How often; 5 by default.
 * @param atLeast Milliseconds of a side in a round, 500 by default. Where other processes disturb, many short rounds
 *   find moments without them.
 * @param warmUp Milliseconds of a side before its part of a round counts, 0 by default: for short calls, which find the
 *   caches full of the other side's data, and its idle threads still spinning.
 * @returns Milliseconds of one run of each side, and `ratio(a, b)`: how many times faster a is than b.
 */
export async function alternate<Name extends string>(
  sides: Record<Name, Side>,
  rounds = 5,
  atLeast = 500,
  warmUp = 0,
): Promise<{ times: Record<Name, Timing>; ratio: (a: Name, b: Name) => Timing }> {
  const names = Object.keys(sides) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >;
  // Half a second of each side before counting: V8 compiles what runs often.
  for (let i = -1; i < rounds; i++) {
    for (const name of names) {
      let start = performance.now();
      while (performance.now() - start < warmUp) await sides[name]();
      start = performance.now();
      const least = i < 0 ? 500 : atLeast;
      let runs = 0;
      for (; runs === 0 || performance.now() - start < least; runs++) await sides[name]();
      if (i >= 0) times[name].push((performance.now() - start) / runs);
    }
  }
  const entries = names.map((name) => [name, timingOf(times[name])]);
  return {
    times: Object.fromEntries(entries) as Record<Name, Timing>,
    ratio: (a, b) => timingOf(times[a].map((milliseconds, i) => times[b][i] / milliseconds)),
  };
}

async function time(side: Side): Promise<number> {
  const start = performance.now();
  await side();
  return performance.now() - start;
}

/**
 * Sums up.
 *
 * @param values Milliseconds or ratios of the rounds.
 * @returns Median and range.
 */
export function timingOf(values: number[]): Timing {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] };
}

/**
 * Starts a backend; tfjs-node where it is built.
 *
 * @param name Its name.
 * @returns Whether it is here.
 */
export async function start(name: string): Promise<boolean> {
  if (name === 'tensorflow') {
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow's start-up log
    // tfjs-node 4.22 calls a function that Node 23 removed.
    const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
    util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
    const native: string = '@tensorflow/tfjs-node';
    try {
      await import(native);
    } catch {
      return false;
    }
  }
  return tf.setBackend(name);
}

/**
 * A row of a Markdown table.
 *
 * @param cells Texts and timings.
 * @returns The row.
 */
export function row(...cells: (string | Timing)[]): string {
  const text = cells.map((cell) =>
    typeof cell === 'string'
      ? cell
      : `${short(cell.median)} (${short(cell.min)}–${short(cell.max)})`,
  );
  return `| ${text.join(' | ')} |`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
