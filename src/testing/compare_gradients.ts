/** The tape against finite differences, for anything whose tensors can be replaced: functions and layers. */
import type * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger, assertNumber } from '../util/errors.js';
import { CheckError } from './check_error.js';
import {
  checkParameter,
  explain,
  type GradientCheck,
  type Parameter,
} from './finite_difference.js';
import {
  magnitude,
  randomCotangents,
  runOnHost,
  tapeGradientsOnHost,
  weightedSum,
  type Computation,
} from './tape.js';

/** How gradients are compared. */
export interface GradientOptions {
  /** Largest relative error that passes, 2e-3 by default. See `checkGradients` for what it can detect. */
  tolerance?: number;
  /** Number of directions for each tensor, 3 by default: the gradient itself, the others random. */
  directions?: number;
  /** Seed of the random directions and of the weights of the outputs, 0 by default. */
  seed?: number;
}

/** What `checkGradients` found. */
export interface GradientReport {
  /** One comparison for each float32 input. */
  inputs: GradientCheck[];
  /** The tolerance that was used. */
  tolerance: number;
  /** Whether all gradients are right. */
  passed: boolean;
}

/** A computation whose tensors can be replaced. */
export interface Differentiable {
  /** Names of the tensors to differentiate by. */
  names: string[];
  /** The tensors themselves, or variables. */
  tensors: tf.Tensor[];
  /** The computation on them. */
  compute: Computation;
  /** Runs `body` while one of them has other elements; it gets the computation and the tensor that stands there. */
  substitute: <R>(
    which: number,
    values: Float32Array,
    body: (compute: Computation, tensor: tf.Tensor) => Promise<R>,
  ) => Promise<R>;
}

/**
 * Fills in and checks the options of a gradient check.
 *
 * @param where Name of the caller.
 * @param options What was given.
 * @returns All options.
 */
export function gradientOptions(
  where: string,
  options: GradientOptions,
): Required<GradientOptions> {
  const { tolerance = 2e-3, directions = 3, seed = 0 } = options;
  assertNumber(where, 'tolerance', tolerance, 0, 1);
  assertInteger(where, 'directions', directions);
  assertInteger(where, 'seed', seed, 0, 2 ** 32 - 1);
  return { tolerance, directions, seed };
}

/**
 * Checks the gradient of every tensor and throws when one is wrong.
 *
 * @param where First word of errors.
 * @param subject The computation.
 * @param settings Tolerance, directions, seed.
 * @returns The report.
 * @throws CheckError naming the worst tensor and place; Error when there is nothing to compare.
 */
export async function compareGradients(
  where: string,
  subject: Differentiable,
  settings: Required<GradientOptions>,
): Promise<GradientReport> {
  const { names, tensors, compute, substitute } = subject;
  const outputs = await runOnHost(compute);
  const cotangents = randomCotangents(outputs, settings.seed);
  assert(
    cotangents.some((c) => c !== null),
    () =>
      `${where}: at least one output must be a float32 tensor, got ${outputs.map((y) => y.dtype).join(', ')}.`,
  );
  const value = weightedSum(outputs, cotangents);
  const size = magnitude(outputs, cotangents);
  assert(
    Number.isFinite(value),
    () =>
      `${where}: outputs must be finite, got a weighted sum of ${value}. Look for NaN or Infinity in them.`,
  );
  const again = weightedSum(await runOnHost(compute), cotangents);
  assert(
    Math.abs(value - again) <= 2 ** -18 * size,
    () =>
      `${where}: the outputs must be the same each time, got weighted sums ${value} and ${again}. Fix the seeds, or ` +
      `leave dropout out.`,
  );
  const gradients = await tapeGradientsOnHost(compute, tensors, cotangents);
  const checks: GradientCheck[] = [];
  for (let which = 0; which < tensors.length; which++) {
    const parameter: Parameter = {
      name: names[which],
      shape: tensors[which].shape,
      point: {
        values: (await tensors[which].data()) as Float32Array,
        gradient: gradients[which],
        value,
        magnitude: size,
      },
      evaluate: (values) =>
        substitute(which, values, async (computation) =>
          weightedSum(await runOnHost(computation), cotangents),
        ),
      move: (values) =>
        substitute(which, values, async (computation, tensor) => {
          const found = await runOnHost(computation);
          const [gradient] = await tapeGradientsOnHost(computation, [tensor], cotangents);
          return {
            values,
            gradient,
            value: weightedSum(found, cotangents),
            magnitude: magnitude(found, cotangents),
          };
        }),
    };
    checks.push(await checkParameter(parameter, which, settings));
  }
  const wrong = checks
    .filter((check) => !check.passed)
    .sort((a, b) => b.relativeError - a.relativeError);
  const report = { inputs: checks, tolerance: settings.tolerance, passed: wrong.length === 0 };
  if (wrong.length > 0) {
    const others = wrong.slice(1).map((check) => `'${check.name}'`);
    const also = others.length > 0 ? ` Wrong as well: ${others.join(', ')}.` : '';
    throw new CheckError(
      `${where}: ${explain(wrong[0])} Tolerance ${settings.tolerance}.${also}`,
      report,
    );
  }
  return report;
}
