/**
 * Learning rates as functions of the step. A schedule also carries its `config`, so that an optimizer that uses it can
 * be saved; a plain function works too, but cannot.
 */
import {
  assert,
  assertInteger,
  assertKnownOptions,
  assertNumber,
  describe,
} from '../util/errors.js';

/** A learning rate for every step; steps count from 0. */
export interface Schedule {
  (step: number): number;
  /** Name and options, when the schedule can be made again from them. */
  config?: ScheduleConfig;
}

/** A schedule as JSON. */
export interface ScheduleConfig {
  /** Name of the function in `schedules`. */
  name: string;
  /** Its options. */
  [option: string]: number | string;
}

/** Options of `warmupCosine`. */
export interface WarmupCosineOptions {
  /** Largest learning rate, reached at the end of the warm-up. */
  learningRate: number;
  /** Steps of linear growth; 0 for none. */
  warmupSteps?: number;
  /** Steps of the whole training, warm-up included. */
  totalSteps: number;
  /** Learning rate of the last step, as a part of the largest one. */
  minRatio?: number;
}

/**
 * Linear growth, then half a cosine down to a minimum:
 *
 *     lr·(s + 1)/warmup                                          s < warmup
 *     lr·(min + (1 − min)·(1 + cos(π·p))/2),  p = (s − warmup)/(total − 1 − warmup)   after it
 *
 * The last step has the minimum; steps past it stay there.
 *
 * @param options `learningRate`, `totalSteps`, `warmupSteps` (0), `minRatio` (0.1).
 * @returns The schedule.
 */
export function warmupCosine(options: WarmupCosineOptions): Schedule {
  return warmup('warmupCosine', options, (p) => (1 + Math.cos(Math.PI * p)) / 2);
}

/**
 * Linear growth, then a straight line down to a minimum, which the last step has.
 *
 * @param options As for `warmupCosine`; `minRatio` is 0 unless given.
 * @returns The schedule.
 */
export function linear(options: WarmupCosineOptions): Schedule {
  return warmup('linear', { minRatio: 0, ...options }, (p) => 1 - p);
}

/**
 * The same learning rate at every step, after an optional linear growth.
 *
 * @param options `learningRate`, `warmupSteps` (0).
 * @returns The schedule.
 */
export function constant(options: { learningRate: number; warmupSteps?: number }): Schedule {
  assertKnownOptions('schedules.constant', options, ['learningRate', 'warmupSteps']);
  const { learningRate, warmupSteps = 0 } = options;
  assertNumber('schedules.constant', 'learningRate', learningRate, 0);
  assertInteger('schedules.constant', 'warmupSteps', warmupSteps, 0);
  return withConfig((step) => learningRate * Math.min(1, (step + 1) / Math.max(1, warmupSteps)), {
    name: 'constant',
    learningRate,
    warmupSteps,
  });
}

/**
 * Makes a schedule from its config again.
 *
 * @param config What `schedule.config` holds.
 * @returns The schedule.
 */
export function fromConfig(config: ScheduleConfig): Schedule {
  const { name, ...options } = config;
  const make: Record<string, (options: never) => Schedule> = { warmupCosine, linear, constant };
  assert(
    Object.hasOwn(make, name),
    () =>
      `schedules.fromConfig: name must be one of ${Object.keys(make).join(', ')}, got name=${describe(name)}.`,
  );
  return make[name](options as never);
}

function warmup(
  name: 'warmupCosine' | 'linear',
  options: WarmupCosineOptions,
  decay: (progress: number) => number,
): Schedule {
  const where = `schedules.${name}`;
  assertKnownOptions(where, options, ['learningRate', 'warmupSteps', 'totalSteps', 'minRatio']);
  const { learningRate, warmupSteps = 0, totalSteps, minRatio = 0.1 } = options;
  assertNumber(where, 'learningRate', learningRate, 0);
  assertInteger(where, 'totalSteps', totalSteps);
  assertInteger(where, 'warmupSteps', warmupSteps, 0, totalSteps);
  assertNumber(where, 'minRatio', minRatio, 0, 1);
  const span = totalSteps - 1 - warmupSteps;
  return withConfig(
    (step) => {
      if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
      const progress = span > 0 ? Math.min(1, (step - warmupSteps) / span) : 1;
      return learningRate * (minRatio + (1 - minRatio) * decay(progress));
    },
    { name, learningRate, warmupSteps, totalSteps, minRatio },
  );
}

function withConfig(schedule: (step: number) => number, config: ScheduleConfig): Schedule {
  return Object.assign(schedule, { config });
}
