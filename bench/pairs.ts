/** Times two ways of doing the same work, alternating, and reports medians, spread and their ratio. */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';

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
    ours: timing(times.map(([a]) => a)),
    peer: timing(times.map(([, b]) => b)),
    ratio: timing(times.map(([a, b]) => b / a)),
  };
}

async function time(side: Side): Promise<number> {
  const start = performance.now();
  await side();
  return performance.now() - start;
}

function timing(values: number[]): Timing {
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
