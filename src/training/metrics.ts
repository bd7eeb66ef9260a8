/** Metrics by name, or as functions of labels and outputs. */
import { assert, describe } from '../util/errors.js';
import { accuracy, perplexity, type TokenFunction } from './losses.js';

/** `'accuracy'`, `'perplexity'`, or a function of labels and outputs, whose name is that of the metric. */
export type Metric = 'accuracy' | 'perplexity' | TokenFunction;

const METRICS = { accuracy, perplexity };

/**
 * The functions that metrics stand for.
 *
 * @param where Name of the function that was called, for the error.
 * @param metrics Names and functions.
 * @param ignoreIndex Label that does not count.
 * @returns A function for each.
 */
export function metricFunctions(
  where: string,
  metrics: readonly Metric[],
  ignoreIndex: number,
): TokenFunction[] {
  return metrics.map((metric) => {
    assert(
      typeof metric === 'function' || Object.hasOwn(METRICS, metric),
      () =>
        `${where}: a metric must be 'accuracy', 'perplexity' or a function, got ${describe(metric)}.`,
    );
    return typeof metric === 'function' ? metric : METRICS[metric]({ ignoreIndex });
  });
}

/**
 * Name of a metric.
 *
 * @param metric A name or a function.
 * @param i Its number in the list, for a function without a name.
 * @returns For example `accuracy`, or `metric_0`.
 */
export function metricName(metric: Metric, i: number): string {
  return (typeof metric === 'string' ? metric : metric.name) || `metric_${i}`;
}
