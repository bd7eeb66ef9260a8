import * as tf from '@tensorflow/tfjs-core';
import { assert, assertKnownOptions, describe } from '../util/errors.js';
import { storesHalfFloats } from '../util/half_floats.js';
import { CheckError } from './check_error.js';
import {
  compareGradients,
  gradientOptions,
  type Differentiable,
  type GradientOptions,
  type GradientReport,
} from './compare_gradients.js';
import {
  checkConfig,
  checkLeaks,
  checkSave,
  checkShape,
  checkStep,
  checkTwice,
  checkWeights,
  type Subject,
} from './layer_contract.js';
import { makeInputs, type LayerInput } from './layer_inputs.js';
import { callLayer, releaseLayers, type Layer } from './layer_subject.js';
import { randomCotangents, runOnHost, type HostOutput } from './tape.js';

/** Names of what `checkLayer` checks, in the order in which it does. */
export const layerChecks = [
  'weights',
  'shape',
  'config',
  'save',
  'twice',
  'leaks',
  'gradients',
  'step',
] as const;

/** One of the checks of `checkLayer`. */
export type LayerCheck = (typeof layerChecks)[number];

/** How a layer is checked. */
export interface LayerOptions extends GradientOptions {
  /** Checks to leave out, each with the reason: `{save: 'holds a function'}`. */
  skip?: Partial<Record<LayerCheck, string>>;
}

/** What `checkLayer` found. */
export interface LayerReport {
  /** Class name of the layer. */
  layer: string;
  /** Names of all weights. */
  weights: string[];
  /** Shapes of the outputs. */
  outputShapes: number[][];
  /** `passed`, or why a check was not done. */
  checks: Partial<Record<LayerCheck, string>>;
  /** One comparison for each trainable weight and float32 input. */
  gradients: GradientReport['inputs'];
  /** Whether everything that was checked is right. */
  passed: boolean;
}

/**
 * Checks what every layer owes its users, on the current backend:
 *
 * - `weights`: names are unique, a second call makes no new ones;
 * - `shape`: the symbolic output shape and `computeOutputShape` are what an eager call returns, and `predict` of a
 *   model with an open batch axis gives the same bits;
 * - `config`: config → JSON → config is the same, and the layer made from it computes the same bits;
 * - `save`: a model with the layer comes back from `tf.loadLayersModel` and predicts the same bits;
 * - `twice`: two such layers live side by side, in one model where their names allow it;
 * - `leaks`: forward, backward and `dispose` leave no tensors behind;
 * - `gradients`: every trainable weight's and float32 input's gradient equals finite differences (see
 *   `checkGradients` for the tolerance);
 * - `step`: one small step of `trainOnBatch` lowers the squared distance to random targets.
 *
 * Where the backend stores 16-bit floats, `gradients` and `step` are left out.
 *
 * Give the layer options that are not its defaults, or a forgotten one cannot show, and sizes that are all different.
 *
 * ```ts
 * await checkLayer(() => tf.layers.dense({ units: 5 }), { shape: [2, 3] });
 * await checkLayer(() => myAttention({ numHeads: 2 }), [{ shape: [2, 5, 8] }, { shape: [2, 5], dtype: 'int32', max: 9 }]);
 * ```
 *
 * @param create Makes the layer; it is called several times and must give the same options each time.
 * @param inputs Tensors, or `{shape, dtype, max}`, batch included; an array for a layer that takes several.
 * @param options Tolerance, directions, seed, checks to leave out.
 * @returns The report, when everything is right.
 * @throws CheckError naming the check that failed and the worst weight and place.
 */
export async function checkLayer(
  create: () => Layer,
  inputs: LayerInput | LayerInput[],
  options: LayerOptions = {},
): Promise<LayerReport> {
  const where = 'checkLayer';
  assert(
    typeof create === 'function',
    () => `${where}: create must be a function that returns a layer, got ${describe(create)}.`,
  );
  assertKnownOptions(where, options, ['tolerance', 'directions', 'seed', 'skip']);
  const { skip = {}, ...rest } = options;
  assertKnownOptions(`${where}: skip`, skip, layerChecks);
  for (const [name, reason] of Object.entries(skip)) {
    assert(
      typeof reason === 'string' && reason.trim() !== '',
      () => `${where}: skip.${name} must be the reason as text, got ${describe(reason)}.`,
    );
  }
  const settings = gradientOptions(where, rest);
  const tensors = makeInputs(where, inputs, settings.seed);
  const owned: Layer[] = [];
  try {
    return await checkOne(create, tensors, owned, settings, skip);
  } finally {
    releaseLayers(owned);
    tf.dispose(tensors);
  }
}

async function checkOne(
  create: () => Layer,
  inputs: tf.Tensor[],
  owned: Layer[],
  settings: Required<GradientOptions>,
  skip: NonNullable<LayerOptions['skip']>,
): Promise<LayerReport> {
  const own: Subject['own'] = (layers) => {
    owned.push(...(Array.isArray(layers) ? layers : [layers]));
    return layers;
  };
  const layer = own(create());
  const name = layer.getClassName();
  const report: LayerReport = {
    layer: name,
    weights: [],
    outputShapes: [],
    checks: {},
    gradients: [],
    passed: false,
  };
  let outputs: HostOutput[];
  try {
    outputs = await runOnHost(() => callLayer(layer, inputs));
  } catch (error) {
    throw new CheckError(`checkLayer(${name}): calling the layer fails: ${textOf(error)}`, report);
  }
  report.weights = layer.weights.map((w) => w.originalName);
  report.outputShapes = outputs.map(({ shape }) => shape);
  const subject: Subject = { make: create, layer, inputs, outputs, own };
  const cotangents = randomCotangents(outputs, settings.seed);
  const smooth = cotangents.some((c) => c !== null);
  const noGradient = !smooth
    ? 'not applicable: no float32 output'
    : storesHalfFloats()
      ? 'not applicable: differences of 16-bit floats are little but rounding'
      : undefined;

  const run: Record<LayerCheck, () => unknown> = {
    weights: () => checkWeights(subject),
    shape: () => checkShape(subject),
    config: () => checkConfig(subject),
    save: () => checkSave(subject),
    twice: () => checkTwice(subject),
    leaks: () => {
      checkLeaks(subject, cotangents);
    },
    gradients: async () => {
      report.gradients = await layerGradients(name, layer, inputs, settings);
    },
    step: () => checkStep(subject, settings.seed),
  };
  const inapplicable: Partial<Record<LayerCheck, string | undefined>> = {
    gradients:
      noGradient ??
      (layer.trainableWeights.length + inputs.filter((x) => x.dtype === 'float32').length === 0
        ? 'not applicable: no trainable weight and no float32 input'
        : undefined),
    step:
      noGradient ??
      (layer.trainableWeights.length === 0 ? 'not applicable: no trainable weight' : undefined),
  };
  for (const check of layerChecks) {
    const reason = skip[check];
    const result = reason === undefined ? (inapplicable[check] ?? 'passed') : `skipped: ${reason}`;
    try {
      if (result === 'passed') await run[check]();
    } catch (error) {
      const text = textOf(error);
      report.checks[check] = `failed: ${text}`;
      if (error instanceof CheckError) report.gradients = (error.report as GradientReport).inputs;
      throw new CheckError(`checkLayer(${name}): ${check}: ${text}`, report);
    }
    report.checks[check] = result;
  }
  report.passed = true;
  return report;
}

function isVariable(tensor: tf.Tensor): tensor is tf.Variable {
  return tensor instanceof tf.Variable;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Finite differences against the tape for every trainable weight and float32 input of a layer. */
async function layerGradients(
  where: string,
  layer: Layer,
  inputs: tf.Tensor[],
  settings: Required<GradientOptions>,
): Promise<GradientReport['inputs']> {
  const weights = layer.trainableWeights;
  const variables = weights.map((w): tf.Variable => {
    const variable = w.read();
    assert(isVariable(variable), () => `${where}: '${w.originalName}' must be a variable.`);
    return variable;
  });
  const floats = inputs.flatMap((x, i) => (x.dtype === 'float32' ? [i] : []));
  const names = [
    ...weights.map((w) => w.originalName),
    ...floats.map((i) => (inputs.length === 1 ? 'input' : `input ${i}`)),
  ];
  const subject: Differentiable = {
    names,
    tensors: [...variables, ...floats.map((i) => inputs[i])],
    compute: () => callLayer(layer, inputs),
    substitute: async (which, values, body) => {
      if (which >= variables.length) {
        const at = floats[which - variables.length];
        const x = tf.tensor(values, inputs[at].shape);
        const replaced = inputs.map((old, i) => (i === at ? x : old));
        try {
          return await body(() => callLayer(layer, replaced), x);
        } finally {
          x.dispose();
        }
      }
      const variable = variables[which];
      const original = tf.clone(variable);
      const replacement = tf.tensor(values, variable.shape);
      variable.assign(replacement);
      try {
        return await body(() => callLayer(layer, inputs), variable);
      } finally {
        variable.assign(original);
        tf.dispose([replacement, original]);
      }
    },
  };
  return (await compareGradients(where, subject, settings)).inputs;
}
