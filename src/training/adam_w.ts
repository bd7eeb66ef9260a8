import * as tf from '@tensorflow/tfjs-core';
import { adamWUpdate } from '../ops/adam_w_update.js';
import { globalNorm } from '../ops/global_norm.js';
import { assert, assertKnownOptions, assertNumber, describe } from '../util/errors.js';
import { clipScale } from './clip_by_global_norm.js';
import * as schedules from './schedules.js';
import { decaysByDefault, plainWeightName, stableWeightNames } from './weight_names.js';

/** Options of `adamW`. */
export interface AdamWOptions {
  /** A number, or a function from the step (from 0) to a number; 0.001. */
  learningRate?: number | schedules.Schedule;
  /** Decay rate of the first moment; 0.9. */
  beta1?: number;
  /** Decay rate of the second moment; 0.999. Language models are often trained with 0.95. */
  beta2?: number;
  /** Added to the root of the second moment, outside the root; 1e-8. */
  epsilon?: number;
  /** Part of a weight that a step with learning rate 1 takes away; 0.01. */
  weightDecay?: number;
  /** Says by name (`block_0/attention/query/kernel`) which weights decay; kernels and embeddings unless given. */
  decay?: (weightName: string) => boolean;
  /** Largest global norm of the gradients; no clipping unless given. */
  clipNorm?: number;
}

/** A tensor and the name of the variable it belongs to; TensorFlow.js does not export this type. */
type NamedTensor = Parameters<tf.Optimizer['setWeights']>[0][number];

type Gradients = Parameters<tf.Optimizer['applyGradients']>[0];

/** The two moments of one weight. */
interface Moments {
  first: tf.Variable;
  second: tf.Variable;
}

const OPTIONS = [
  'learningRate',
  'beta1',
  'beta2',
  'epsilon',
  'weightDecay',
  'decay',
  'clipNorm',
] as const;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019), with the
 * defaults and the arithmetic of `torch.optim.AdamW`. At step t = 1, 2, …, with g the gradient of a weight p:
 *
 *     p ← p − lr·weightDecay·p                     only where `decay(name)` says so
 *     m ← β₁·m + (1 − β₁)·g        m̂ = m/(1 − β₁ᵗ)
 *     v ← β₂·v + (1 − β₂)·g²       v̂ = v/(1 − β₂ᵗ)
 *     p ← p − lr·m̂/(√v̂ + ε)
 *
 * It is a `tf.Optimizer`: give it to `model.compile`, to `training.fit`, or call `applyGradients` yourself. Moments
 * belong to a weight by its name, so `getWeights` of one process goes into `setWeights` of another; where the names
 * differ but the shapes agree in order (layers that were named automatically), they are taken in order.
 */
export class AdamW extends tf.Optimizer {
  /** Name under which TensorFlow.js stores it. */
  static readonly className = 'AdamW';

  /** Decay rate of the first moment. */
  readonly beta1: number;
  /** Decay rate of the second moment. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
  readonly epsilon: number;
  /** Strength of the weight decay. */
  weightDecay: number;
  /** Largest global norm of the gradients, or null. */
  clipNorm: number | null;

  private rate: number | schedules.Schedule;
  private decayFilter: ((weightName: string) => boolean) | 'lost' | null;
  private readonly moments = new Map<string, Moments>();
  /** What `setWeights` brought and no gradient has claimed yet. */
  private loaded: { name: string; first: tf.Variable; second: tf.Variable }[] = [];

  /** @param options See `AdamWOptions`. */
  constructor(options: AdamWOptions = {}) {
    super();
    assertKnownOptions('adamW', options, OPTIONS);
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    const { weightDecay = 0.01, decay, clipNorm } = options;
    const below1 = 1 - Number.EPSILON;
    this.beta1 = assertNumber('adamW', 'beta1', beta1, 0, below1);
    this.beta2 = assertNumber('adamW', 'beta2', beta2, 0, below1);
    this.epsilon = assertNumber('adamW', 'epsilon', epsilon, 0);
    this.weightDecay = assertNumber('adamW', 'weightDecay', weightDecay, 0);
    this.clipNorm =
      clipNorm === undefined ? null : assertNumber('adamW', 'clipNorm', clipNorm, Number.MIN_VALUE);
    assert(
      decay === undefined || typeof decay === 'function',
      () =>
        `adamW: decay must be a function from a weight's name to a boolean, got decay=${describe(decay)}.`,
    );
    this.decayFilter = decay ?? null;
    this.rate = checkRate(learningRate);
  }

  /** Learning rate of the next step. Set it to a number or to a schedule. */
  get learningRate(): number {
    return typeof this.rate === 'number' ? this.rate : this.rate(this.iterations);
  }

  set learningRate(value: number | schedules.Schedule) {
    this.rate = checkRate(value);
  }

  /** Says which weights decay. Set it after loading an optimizer that had a filter of its own. */
  get decay(): (weightName: string) => boolean {
    assert(
      this.decayFilter !== 'lost',
      () =>
        'AdamW: the saved optimizer had a decay filter, and functions are not saved. ' +
        'Set optimizer.decay before training goes on.',
    );
    return this.decayFilter ?? decaysByDefault;
  }

  set decay(filter: (weightName: string) => boolean) {
    this.decayFilter = filter;
  }

  /**
   * Makes one step.
   *
   * @param gradients By name of the variable, as `tf.variableGrads` returns them, or a list of `{name, tensor}`.
   * @param scale Multiplies every gradient, at no cost; `training.fit` clips with it.
   */
  override applyGradients(gradients: Gradients, scale?: tf.Scalar): void {
    const list = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    const given = list.filter((g): g is NamedTensor => g.tensor !== null && g.tensor !== undefined);
    const { decay, learningRate } = this;
    assert(
      Number.isFinite(learningRate),
      () =>
        `AdamW: the learning rate must be finite, got ${learningRate} for step ${this.iterations}.`,
    );
    this.claim(given);
    const registered = tf.engine().state.registeredVariables;
    const step = this.iterations + 1;
    // m̂ and v̂ are never formed: with c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ,
    // lr·m̂/(√v̂ + ε) = (lr·√c₂/c₁)·m/(√v + ε·√c₂)
    const correction1 = 1 - this.beta1 ** step;
    const correction2 = Math.sqrt(1 - this.beta2 ** step);
    const entries = given.map(({ name, tensor }) => {
      const decays = this.weightDecay > 0 && decay(plainWeightName(name));
      return {
        ...this.moments.get(name)!,
        weight: registered[name],
        gradient: tensor,
        keep: decays ? 1 - learningRate * this.weightDecay : 1,
      };
    });
    tf.tidy(() =>
      adamWUpdate(entries, {
        beta1: this.beta1,
        beta2: this.beta2,
        rate: (learningRate * correction2) / correction1,
        epsilon: this.epsilon * correction2,
        scale: this.clipFactor(given, scale),
      }),
    );
    this.incrementIterations();
  }

  /** First and second moments of a weight, by the name of its variable; undefined before its first gradient. */
  momentsOf(name: string): { first: tf.Tensor; second: tf.Tensor } | undefined {
    return this.moments.get(name);
  }

  /**
   * State to save: the number of steps, then all first moments, then all second ones, named after their weights.
   *
   * @returns The step is a new tensor (dispose of it); the moments are the live variables.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    const names = stableWeightNames([...this.moments.keys()]);
    const held = [...this.moments.values()].map((moments, i) => ({ name: names[i], ...moments }));
    const all = [...held, ...this.loaded];
    return [
      await this.saveIterations(),
      ...all.map(({ name, first }) => ({ name: `${name}/m`, tensor: first })),
      ...all.map(({ name, second }) => ({ name: `${name}/v`, tensor: second })),
    ];
  }

  /**
   * Takes the state that `getWeights` gave. The tensors are copied.
   *
   * @param weights The step, first moments, second moments.
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const moments = weights.slice(1);
    const count = moments.length / 2;
    assert(
      weights.length % 2 === 1 &&
        moments.every(({ name }, i) => name.endsWith(i < count ? '/m' : '/v')) &&
        moments.every(
          ({ tensor }, i) =>
            i < count || tf.util.arraysEqual(tensor.shape, moments[i - count].tensor.shape),
        ),
      () =>
        'AdamW.setWeights: the state must be the step, first moments (…/m) and second moments (…/v) of the same ' +
        `weights, got ${describe(weights.map(({ name }) => name))}.`,
    );
    await this.extractIterations(weights);
    this.disposeMoments();
    this.loaded = moments.slice(0, count).map(({ name, tensor }, i) => ({
      name: name.slice(0, -2),
      first: tf.tidy(() => tf.variable(tensor, false)),
      second: tf.tidy(() => tf.variable(moments[count + i].tensor, false)),
    }));
  }

  /** Options as JSON. A decay filter, or a learning rate that is a plain function, is not in it. */
  override getConfig(): tf.serialization.ConfigDict {
    const { rate } = this;
    return {
      learningRate: typeof rate === 'number' ? rate : (rate.config ?? null),
      beta1: this.beta1,
      beta2: this.beta2,
      epsilon: this.epsilon,
      weightDecay: this.weightDecay,
      clipNorm: this.clipNorm,
      customDecay: this.decayFilter !== null,
    };
  }

  /**
   * Makes an optimizer from its config. Where that had a filter for the decay, `decay` must be set before the next
   * step; where its learning rate was a plain function, `learningRate` must.
   */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const { learningRate, beta1, beta2, epsilon, weightDecay, clipNorm, customDecay } = config;
    const rest = { beta1, beta2, epsilon, weightDecay }; // TensorFlow.js adds entries of its own to a config
    const rate =
      typeof learningRate === 'object' && learningRate !== null
        ? schedules.fromConfig(learningRate as schedules.ScheduleConfig)
        : (learningRate ?? lostRate);
    const optimizer = new cls({ ...rest, learningRate: rate, clipNorm: clipNorm ?? undefined });
    if (customDecay) (optimizer as unknown as AdamW).decayFilter = 'lost';
    return optimizer;
  }

  /** Frees the moments. */
  override dispose(): void {
    this.disposeMoments();
  }

  private disposeMoments(): void {
    for (const { first, second } of [...this.moments.values(), ...this.loaded]) {
      first.dispose();
      second.dispose();
    }
    this.moments.clear();
    this.loaded = [];
  }

  /** Gives every weight its moments: what was loaded for it, else zeros. */
  private claim(gradients: NamedTensor[]): void {
    if (this.loaded.length > 0) this.claimLoaded(gradients);
    const registered = tf.engine().state.registeredVariables;
    for (const { name } of gradients) {
      assert(
        name in registered,
        () => `AdamW: a gradient must belong to a variable, got name='${name}'.`,
      );
      if (this.moments.has(name)) continue;
      const zeros = (): tf.Variable =>
        tf.tidy(() => tf.variable(tf.zerosLike(registered[name]), false));
      this.moments.set(name, { first: zeros(), second: zeros() });
    }
  }

  private claimLoaded(gradients: NamedTensor[]): void {
    const byName = new Map(this.loaded.map((entry) => [entry.name, entry]));
    const names = stableWeightNames(gradients.map(({ name }) => name));
    const fits = (entry: { first: tf.Tensor } | undefined, i: number): boolean =>
      entry !== undefined && tf.util.arraysEqual(entry.first.shape, gradients[i].tensor.shape);
    const named = names.every((name, i) => fits(byName.get(name), i));
    const ordered =
      this.loaded.length === names.length && this.loaded.every((entry, i) => fits(entry, i));
    assert(named || ordered, () => {
      const i = names.findIndex((name, at) => !fits(byName.get(name), at));
      return (
        `AdamW: the loaded state must belong to the weights in training, got no moments of shape ` +
        `[${gradients[i].tensor.shape}] for '${names[i]}'. Load the state of this model, or start without it.`
      );
    });
    gradients.forEach(({ name }, i) => {
      const { first, second } = named ? byName.get(names[i])! : this.loaded[i];
      this.moments.set(name, { first, second });
    });
    const taken = new Set([...this.moments.values()].map(({ first }) => first));
    this.loaded = this.loaded.filter(({ first }) => !taken.has(first));
  }

  private clipFactor(gradients: NamedTensor[], scale?: tf.Scalar): tf.Tensor | undefined {
    if (this.clipNorm === null) return scale;
    const norm = globalNorm(gradients.map(({ tensor }) => tensor));
    const clip = clipScale(scale ? tf.mul(norm, scale) : norm, this.clipNorm);
    return scale ? tf.mul(clip, scale) : clip;
  }
}
tf.serialization.registerClass(AdamW);

/**
 * An AdamW optimizer; see the class `AdamW` for the formula.
 *
 * @param options `learningRate` (0.001 or a schedule), `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8),
 * `weightDecay` (0.01), `decay` (by name: kernels and embeddings), `clipNorm` (none).
 * @returns The optimizer; dispose of it after use.
 */
export function adamW(options: AdamWOptions = {}): AdamW {
  return new AdamW(options);
}

/**
 * Whether an optimizer is an AdamW of this package. (`instanceof` cannot tell: TensorFlow.js makes every optimizer an
 * instance of every optimizer class.)
 *
 * @param optimizer Any optimizer.
 * @returns True for an AdamW.
 */
export function isAdamW(optimizer: tf.Optimizer): optimizer is AdamW {
  return Object.prototype.isPrototypeOf.call(AdamW.prototype, optimizer);
}

function checkRate(rate: number | schedules.Schedule): number | schedules.Schedule {
  if (typeof rate === 'function') return rate;
  return assertNumber('adamW', 'learningRate', rate, 0);
}

function lostRate(): number {
  throw new Error(
    'AdamW: the saved optimizer had a function as its learning rate, and functions are not saved. ' +
      'Set optimizer.learningRate before training goes on.',
  );
}
