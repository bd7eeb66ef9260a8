/**
 * Attention with learned projections: what `MultiHeadAttention` and `GroupedQueryAttention` share. They differ in how
 * their heads are configured; the mathematics is in `ops/dot_product_attention`.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { KVCache } from '../cache/kv_cache.js';
import { and } from '../masks/and.js';
import { alibiBias } from '../ops/alibi.js';
import { dotProductAttention } from '../ops/dot_product_attention.js';
import { linear } from '../ops/linear.js';
import { projections } from '../ops/projections.js';
import { rmsNorm } from '../ops/rms_norm.js';
import { rotary, type RotaryOptions } from '../ops/rotary.js';
import { assert, assertInteger, assertNumber } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import { shapeText, sizeOf } from '../util/shapes.js';
import { ArgumentLayer, type Signature } from './argument_layer.js';
import type { CallArguments } from './call_arguments.js';
import { AttendedAxes } from './attended_axes.js';
import type { ProjectedAttentionArgs } from './attention_options.js';
import { emptyRowsOf, meanInEmptyRows, type EmptyRows } from './empty_rows.js';
import { keyMaskOf, pairMasks, PROJECTED_SIGNATURE } from './attention_masks.js';
import { collectScores } from './attention_scores.js';
import { rotaryConfig, rotaryOptions, type RotaryConfig } from './rotary_scaling.js';
import {
  constraint,
  initializer,
  matrixInitializer,
  regularizer,
  serialized,
  type Constraint,
  type Initializer,
  type Regularizer,
} from './weight_options.js';

/** How the heads are laid out. */
export interface Heads {
  /** N */
  numHeads: number;
  /** K */
  numKeyValueHeads: number;
  /** H of query and key. */
  keyDim: number;
  /** H of value. */
  valueDim: number;
}

/** A learned projection: kernel and, perhaps, bias. */
interface Projection {
  kernel: tfl.LayerVariable;
  bias: tfl.LayerVariable | null;
}

/** Attention with learned projections of query, key, value and output. */
export abstract class ProjectedAttention extends ArgumentLayer {
  protected readonly dropout: number;
  protected readonly useBias: boolean;
  protected readonly useGate: boolean;
  protected readonly slidingWindow: number | null;
  protected readonly seed: number | null;
  protected readonly rotary: RotaryConfig | null;
  protected readonly alibi: boolean;
  protected readonly qkNorm: boolean;
  protected readonly qkNormEpsilon: number;
  protected readonly softCap: number | null;
  protected readonly emptyRows: EmptyRows;
  private readonly kernelInitializer: Initializer;
  private readonly outputInitializer: Initializer | null;
  private readonly biasInitializer: Initializer;
  private readonly kernelRegularizer: Regularizer | null;
  private readonly biasRegularizer: Regularizer | null;
  private readonly kernelConstraint: Constraint | null;
  private readonly biasConstraint: Constraint | null;

  private readonly projections: Record<string, Projection> = {};
  private queryScale: tfl.LayerVariable | null = null;
  private keyScale: tfl.LayerVariable | null = null;

  protected constructor(
    args: ProjectedAttentionArgs,
    protected readonly heads: Heads,
  ) {
    super(args);
    const where = this.getClassName();
    this.dropout = assertNumber(where, 'dropout', args.dropout ?? 0, 0, 1);
    this.useBias = args.useBias ?? true;
    this.useGate = args.useGate ?? false;
    this.slidingWindow = args.slidingWindow ?? null;
    if (this.slidingWindow !== null) assertInteger(where, 'slidingWindow', this.slidingWindow);
    this.seed = args.seed ?? null;
    this.randomStream = new RandomStream(this.seed);
    this.rotary = rotaryConfig(where, args.rotary);
    this.alibi = args.alibi ?? false;
    this.qkNorm = args.qkNorm ?? false;
    this.qkNormEpsilon = args.qkNormEpsilon ?? 1e-6;
    this.softCap = args.softCap ?? null;
    this.emptyRows = emptyRowsOf(where, args.emptyRows);
    this.kernelInitializer = initializer(where, args.kernelInitializer ?? 'glorotUniform');
    this.outputInitializer = args.outputInitializer
      ? initializer(where, args.outputInitializer)
      : null;
    this.biasInitializer = initializer(where, args.biasInitializer ?? 'zeros');
    this.kernelRegularizer = regularizer(where, args.kernelRegularizer);
    this.biasRegularizer = regularizer(where, args.biasRegularizer);
    this.kernelConstraint = constraint(where, args.kernelConstraint);
    this.biasConstraint = constraint(where, args.biasConstraint);
    assert(
      args.activityRegularizer === undefined || args.activityRegularizer === null,
      () =>
        `${where}: activityRegularizer is not supported by TensorFlow.js. Leave it out, or add a loss of your own.`,
    );
  }

  /** Axes over which inputs of a rank attend. */
  protected abstract axes(rank: number): AttendedAxes;

  /** Sizes that replace D in the output. */
  protected abstract outputSizes(queryShape: tfl.Shape): number[];

  /** Whether the layer sees only the past in every call, so that it can be cached. */
  get isCausal(): boolean {
    return this.flag('useCausalMask');
  }

  protected override signature(): Signature {
    return PROJECTED_SIGNATURE;
  }

  protected override buildFrom(shapes: Record<string, tfl.Shape>): void {
    const where = this.name;
    const query = shapes.query;
    const value = shapes.value ?? query;
    const key = shapes.key ?? value;
    for (const [name, shape] of Object.entries({ query, value, key })) {
      assert(
        shape.length >= 3 && shape.length === query.length,
        () =>
          `${where}: ${name} must have ${name === 'query' ? '' : 'the rank of query, '}at least 3 axes, [B,T,D], ` +
          `got ${name}=${shapeText(shape)}.`,
      );
      assert(
        typeof shape[shape.length - 1] === 'number',
        () => `${where}: the last axis of ${name} must be known, got ${name}=${shapeText(shape)}.`,
      );
    }
    this.axes(query.length); // refuses axes that do not exist
    const width = (shape: tfl.Shape): number => shape[shape.length - 1]!;
    const { numHeads: N, numKeyValueHeads: K, keyDim: H, valueDim: Hv } = this.heads;
    this.project('query', [width(query)], [N, H]);
    this.project('key', [width(key)], [K, H]);
    if (this.useGate) this.project('gate', [width(query)], [N, Hv]);
    this.project('value', [width(value)], [K, Hv]);
    this.project('attention_output', [N, Hv], this.outputSizes(query));
    if (this.qkNorm) {
      const ones = initializer(where, 'ones');
      this.queryScale = this.addWeight('query_norm/scale', [H], 'float32', ones);
      this.keyScale = this.addWeight('key_norm/scale', [H], 'float32', ones);
    }
  }

  /** Adds the weights of a projection from some axes to others. */
  private project(name: string, from: number[], to: number[]): void {
    const index = Object.keys(this.projections).length;
    const source =
      name === 'attention_output'
        ? (this.outputInitializer ?? this.kernelInitializer)
        : this.kernelInitializer;
    const kernel = this.addWeight(
      `${name}/kernel`,
      [...from, ...to],
      'float32',
      matrixInitializer(source, sizeOf(from), sizeOf(to), index),
      this.kernelRegularizer ?? undefined,
      true,
      this.kernelConstraint ?? undefined,
    );
    const bias = this.useBias
      ? this.addWeight(
          `${name}/bias`,
          to,
          'float32',
          this.biasInitializer,
          this.biasRegularizer ?? undefined,
          true,
          this.biasConstraint ?? undefined,
        )
      : null;
    this.projections[name] = { kernel, bias };
  }

  /** The projection of the last axes. */
  private projected(x: tf.Tensor, name: string, inputAxes = 1): tf.Tensor {
    const { kernel, bias } = this.projections[name];
    return linear(x, kernel.read(), bias?.read(), { inputAxes });
  }

  /** Query, key and value in heads; in a cross-attention with a cache, key and value of the first call. */
  private inputsOf(
    axes: AttendedAxes,
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    { crossCache }: CallArguments,
  ): tf.Tensor4D[] {
    if (!(crossCache instanceof KVCache))
      return this.headsOf(axes, [query, 'query'], [key, 'key'], [value, 'value']);
    const kept = crossCache.crossKeys(this, () => {
      const [k, v] = this.headsOf(axes, [key, 'key'], [value, 'value']);
      return { key: k, value: v };
    });
    assert(
      kept.key.shape[0] === key.shape[0] && kept.key.shape[1] === key.shape[1],
      () =>
        `${this.name}: the cache holds keys of an encoder sequence of ${kept.key.shape[0]} rows of ` +
        `${kept.key.shape[1]}, got ${shapeText(key.shape)}. Make a new cache for another sequence.`,
    );
    return [...this.headsOf(axes, [query, 'query']), kept.key, kept.value];
  }

  /** Tensors projected and laid out in heads; the projections of one tensor are one operation. */
  private headsOf(axes: AttendedAxes, ...sources: [x: tf.Tensor, name: string][]): tf.Tensor4D[] {
    const projected = new Map<string, tf.Tensor>();
    for (const x of new Set(sources.map(([x]) => x))) {
      const names = sources.flatMap(([other, name]) => (other === x ? [name] : []));
      const maps = names.map((name) => {
        const { kernel, bias } = this.projections[name];
        return { kernel: kernel.read(), bias: bias?.read() };
      });
      projections(x, maps).forEach((y, i) => projected.set(names[i], y));
    }
    const scales: Record<string, tfl.LayerVariable | null> = {
      query: this.queryScale,
      key: this.keyScale,
    };
    return sources.map(([, name]) => {
      const heads = axes.flatten(projected.get(name)!);
      const scale = scales[name]?.read();
      // Each head with a mean square of 1, times a learned scale.
      return scale
        ? (rmsNorm(heads, scale, { epsilon: this.qkNormEpsilon }) as tf.Tensor4D)
        : heads;
    });
  }

  protected override compute(
    tensors: Record<string, tf.Tensor>,
    kwargs: CallArguments,
  ): tf.Tensor | tf.Tensor[] {
    const { query } = tensors;
    const value = tensors.value ?? query;
    const key = tensors.key ?? value;
    this.checkInputs(query, value, key);
    const axes = this.axes(query.rank);
    const cache =
      kwargs.cache instanceof KVCache && value === query && key === query ? kwargs.cache : null;
    assert(
      !cache || (this.flag('useCausalMask', kwargs) && axes.plain),
      () =>
        `${this.name}: only causal self-attention can use a cache. Set useCausalMask: true, or call without cache.`,
    );

    let [q, k, v] = this.inputsOf(axes, query, key, value, kwargs);
    const place = this.placeOf(tensors, cache, query.shape);
    if (place) [q, k] = [q, k].map((x) => rotary(x, place) as tf.Tensor4D);

    const scoresShape = axes.scoresShape(query.shape, key.shape, this.heads.numHeads);
    const masks = pairMasks(this.name, axes, tensors, scoresShape, cache !== null);
    const keyMask = keyMaskOf(this.name, axes, tensors, kwargs, key.shape);
    const causal = this.flag('useCausalMask', kwargs);
    let offset = 0;
    let length = k.shape[1];
    if (cache) {
      const cached = cache.append(this, k, v, {
        mask: keyMask,
        window: this.slidingWindow ?? undefined,
      });
      ({ key: k, value: v, offset, length } = cached);
      if (cached.mask)
        masks.push(tf.reshape(cached.mask, [cached.mask.shape[0], 1, 1, cached.mask.shape[1]]));
    } else if (keyMask) {
      masks.push(tf.reshape(keyMask, [keyMask.shape[0], 1, 1, keyMask.shape[1]]));
    }
    const { output, scores } = dotProductAttentionOf(q, k, v, {
      mask: masks.length > 0 ? and(...masks) : null,
      bias: this.alibi ? alibiBias(this.heads.numHeads, q.shape[1], length, { offset }) : null,
      causal,
      offset,
      keyLength: length,
      window: this.slidingWindow,
      softCap: this.softCap,
      dropout: this.dropout,
      seed: this.randomStream,
      training: Boolean(kwargs.training),
      returnScores: this.flag('returnAttentionScores', kwargs) || kwargs.scores !== undefined,
    });
    collectScores(kwargs, this, scores);

    const { slidingWindow: window } = this;
    const rows =
      this.emptyRows === 'mean' && !cache
        ? meanInEmptyRows(output, v, masks, { causal, window })
        : output;
    let heads = axes.restore(rows, query.shape);
    if (this.useGate) heads = tf.mul(heads, tf.sigmoid(this.projected(query, 'gate')));
    const result = this.projected(heads, 'attention_output', 2);
    if (!this.flag('returnAttentionScores', kwargs)) return result;
    return [result, axes.plain ? scores! : tf.reshape(scores!, scoresShape)];
  }

  /** Options of the rotation of this call, or null without rotary positions. */
  private placeOf(
    { positions }: Record<string, tf.Tensor>,
    cache: KVCache | null,
    queryShape: number[],
  ): RotaryOptions | null {
    if (!this.rotary) return null;
    const offset = cache?.lengthOf(this) ?? 0;
    const options = rotaryOptions(this.rotary, this.heads.keyDim, offset + queryShape[1]);
    return { ...options, ...((positions as unknown) ? { positions } : { offset }) };
  }

  private checkInputs(query: tf.Tensor, value: tf.Tensor, key: tf.Tensor): void {
    assert(
      query.rank === value.rank &&
        value.shape.slice(0, -1).join() === key.shape.slice(0, -1).join(),
      () =>
        `${this.name}: the shapes of key and value must be equal but for the last axis, and of the rank of query, ` +
        `got query=${shapeText(query.shape)}, value=${shapeText(value.shape)}, key=${shapeText(key.shape)}. ` +
        'The order of inputs is query, value, key.',
    );
    assert(
      query.shape[0] === value.shape[0],
      () =>
        `${this.name}: query and value must have the same batch size, ` +
        `got query=${shapeText(query.shape)}, value=${shapeText(value.shape)}.`,
    );
  }

  protected override outputShapeFrom(shapes: Record<string, tfl.Shape>): tfl.Shape | tfl.Shape[] {
    const { query } = shapes;
    const key = shapes.key ?? shapes.value ?? query;
    const output = [...query.slice(0, -1), ...this.outputSizes(query)];
    if (!this.flag('returnAttentionScores')) return output;
    return [output, this.axes(query.length).scoresShape(query, key, this.heads.numHeads)];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...super.getConfig(),
      dropout: this.dropout,
      useBias: this.useBias,
      useGate: this.useGate,
      slidingWindow: this.slidingWindow,
      seed: this.seed,
      kernelInitializer: serialized(this.kernelInitializer),
      biasInitializer: serialized(this.biasInitializer),
      kernelRegularizer: serialized(this.kernelRegularizer),
      biasRegularizer: serialized(this.biasRegularizer),
      activityRegularizer: null,
      kernelConstraint: serialized(this.kernelConstraint),
      biasConstraint: serialized(this.biasConstraint),
      // What Keras does not know is only there when it is used.
      ...(this.rotary ? { rotary: this.rotary as tf.serialization.ConfigDict } : {}),
      ...(this.alibi ? { alibi: true } : {}),
      ...(this.qkNorm ? { qkNorm: true, qkNormEpsilon: this.qkNormEpsilon } : {}),
      ...(this.emptyRows !== 'zero' ? { emptyRows: this.emptyRows } : {}),
      ...(this.softCap !== null ? { softCap: this.softCap } : {}),
      ...(this.outputInitializer ? { outputInitializer: serialized(this.outputInitializer) } : {}),
    };
  }
}

/** The operation with its two forms of result made one. */
function dotProductAttentionOf(...args: Parameters<typeof dotProductAttention>): {
  output: tf.Tensor4D;
  scores: tf.Tensor4D | null;
} {
  const result = dotProductAttention(...args);
  return result instanceof tf.Tensor ? { output: result, scores: null } : result;
}
