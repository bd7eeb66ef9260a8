/** Attention layers of Keras. */
import type * as tfl from '@tensorflow/tfjs-layers';
import {
  AdditiveAttention,
  Attention,
  GroupedQueryAttention,
  MultiHeadAttention,
  type AttentionArgs,
  type EmptyRows,
  type GroupedQueryAttentionArgs,
  type MultiHeadAttentionArgs,
} from '../../layers/index.js';
import {
  flagAt,
  flowAt,
  isFlow,
  required,
  type CallValue,
  type Flow,
  type LayerCall,
  type LayerEntry,
} from './layer_entry.js';

type Masks = Record<string, tfl.SymbolicTensor>;

const WEIGHTS = [
  'kernel_initializer', 'bias_initializer', 'kernel_regularizer', 'bias_regularizer', 'kernel_constraint', 'bias_constraint',
]; // prettier-ignore

const CALL: LayerEntry['call'] = {
  query: 'tensor',
  value: 'tensor',
  key: 'optional',
  query_mask: 'optional',
  value_mask: 'optional',
  key_mask: 'optional',
  attention_mask: 'optional',
  return_attention_scores: 'flag',
  training: 'unused',
  use_causal_mask: 'flag',
};

/** Keras 2 takes masks of tensors only from beside them. */
const CALL_OF_KERAS_2: LayerEntry['call'] = {
  query: 'tensor',
  value: 'tensor',
  key: 'optional',
  attention_mask: 'optional',
  return_attention_scores: 'flag',
  training: 'unused',
  use_causal_mask: 'flag',
};

/** Attributes in which Keras keeps the projections of MultiHeadAttention. */
export const PROJECTIONS = {
  query: 'query_dense',
  key: 'key_dense',
  gate: '_gate_dense',
  value: 'value_dense',
  attention_output: 'output_dense',
};

/** The mask of a tensor argument: the one given by name, else the one beside the tensor. */
function maskOf(call: LayerCall, name: string): tfl.SymbolicTensor | null {
  const given = flowAt(call, `${name}_mask`);
  if (given) return given.tensor;
  const mask = flowAt(call, name)?.mask;
  return mask ? call.context.maskTensor(mask) : null;
}

/** Flags of a call. */
function flagsOf(call: LayerCall, causal = false): Record<string, boolean> {
  return {
    useCausalMask: flagAt(call, 'use_causal_mask', causal),
    returnAttentionScores: flagAt(call, 'return_attention_scores'),
  };
}

/**
 * What a query gets that may look at nothing. Where Keras need not compute scores it is the mean of all values, as it was
 * before 3.10 in any case; else it is 0.
 *
 * @param call The call.
 * @param rank Rank of the query.
 * @returns The option of our layers.
 */
export function emptyRowsIn(call: LayerCall, rank: number): { emptyRows?: EmptyRows } {
  const scores = flagAt(call, 'return_attention_scores');
  const fused = rank === 3 && !scores && !Number(call.source.config.dropout ?? 0);
  return fused || !call.context.version.atLeast(3, 10) ? { emptyRows: 'mean' } : {};
}

/** What a layer gives, one tensor or several; the mask goes with the first. */
export function flows(outputs: ReturnType<tfl.layers.Layer['apply']>, mask: Flow['mask']): Flow[] {
  return ([outputs].flat() as tfl.SymbolicTensor[]).map((tensor, i) => ({
    tensor,
    mask: i === 0 ? mask : null,
  }));
}

/**
 * Takes masks away. From 3.7 on, Keras' MultiHeadAttention does that to what it is called with: a layer that runs later finds
 * no mask there.
 *
 * @param tensors What it is called with.
 */
export function takeMasks(...tensors: readonly (Flow | null)[]): void {
  for (const flow of tensors) if (flow) flow.mask = null;
}

/** Calls a layer with projections; its query's mask goes on. */
function applyProjected(ignoresQueryMask: boolean) {
  return (layer: tfl.layers.Layer | null, call: LayerCall): Flow[] => {
    const query = required(call, 'query');
    // From 3.7 on, MultiHeadAttention looks only at the mask beside its query.
    const overwritten = ignoresQueryMask && call.context.version.atLeast(3, 7);
    const queryMask = overwritten
      ? query.mask && call.context.maskTensor(query.mask)
      : maskOf(call, 'query');
    const key = flowAt(call, 'key');
    const masks: Record<string, tfl.SymbolicTensor | null> = {
      queryMask,
      valueMask: maskOf(call, 'value'),
      keyMask: key ? maskOf(call, 'key') : null,
      attentionMask: flowAt(call, 'attention_mask')?.tensor ?? null,
    };
    const given = Object.entries(masks).filter(([, mask]) => mask !== null);
    const named = {
      value: required(call, 'value').tensor,
      ...(key ? { key: key.tensor } : {}),
      ...(Object.fromEntries(given) as Masks),
    };
    const { mask } = query;
    const outputs = call.context.callNamed(layer!, ['query', query.tensor], named, flagsOf(call));
    if (overwritten) takeMasks(query, required(call, 'value'), key);
    return flows(outputs, mask);
  };
}

/** `Attention` and `AdditiveAttention`: inputs and masks are lists. */
function applyKeras(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const inputs = call.values.inputs as Flow[];
  const explicit = (call.values.mask ?? null) as CallValue[] | null;
  const masks = [0, 1].map((i) => {
    if (explicit) return isFlow(explicit[i]) ? explicit[i].tensor : null;
    const { mask } = inputs[i];
    return mask && call.context.maskTensor(mask);
  });
  const [query, value, key] = inputs;
  const named = {
    value: value.tensor,
    ...((key as Flow | undefined) ? { key: key.tensor } : {}),
    ...(masks[0] ? { queryMask: masks[0] } : {}),
    ...(masks[1] ? { valueMask: masks[1] } : {}),
  };
  const flags = flagsOf(call, call.options.causal === true);
  const outputs = call.context.callNamed(layer!, ['query', query.tensor], named, flags);
  const carried = explicit
    ? isFlow(explicit[0])
      ? ({ kind: 'tensor', of: explicit[0].tensor } as const)
      : null
    : query.mask;
  return flows(outputs, carried);
}

const KERAS_CALL: LayerEntry['call'] = {
  inputs: 'list',
  mask: 'any',
  training: 'unused',
  return_attention_scores: 'flag',
  use_causal_mask: 'flag',
};

/** Options of a layer without those of calls. */
function withoutCausal(options: Readonly<Record<string, unknown>>): AttentionArgs {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'causal'));
}

const MULTI_HEAD: LayerEntry = {
  call: CALL,
  options: {
    taken: [
      'num_heads', 'key_dim', 'value_dim', 'dropout', 'use_bias', 'use_gate', 'output_shape', 'attention_axes', 'sliding_window',
      ...WEIGHTS,
    ], // prettier-ignore
    ignored: ['flash_attention', 'query_shape', 'key_shape', 'value_shape'],
  },
  make: (options, call) =>
    new MultiHeadAttention({
      ...(options as unknown as MultiHeadAttentionArgs),
      ...emptyRowsIn(call, required(call, 'query').tensor.shape.length),
    }),
  apply: applyProjected(true),
  parts: PROJECTIONS,
};

const GROUPED: LayerEntry = {
  call: CALL,
  options: {
    taken: [
      'head_dim', 'num_query_heads', 'num_key_value_heads', 'dropout', 'use_bias', 'use_gate', 'sliding_window', ...WEIGHTS,
    ], // prettier-ignore
    ignored: ['flash_attention'],
  },
  make: (options, call) =>
    new GroupedQueryAttention({
      ...(options as unknown as GroupedQueryAttentionArgs),
      ...emptyRowsIn(call, 3),
    }),
  apply: applyProjected(false),
  pythonClass: 'GroupedQueryAttention',
  parts: {
    query: '_query_dense',
    key: '_key_dense',
    gate: '_gate_dense',
    value: '_value_dense',
    attention_output: '_output_dense',
  },
};

/** Attention layers by class. */
export const ATTENTION: Readonly<Record<string, LayerEntry>> = {
  MultiHeadAttention: MULTI_HEAD,
  GroupQueryAttention: GROUPED,
  GroupedQueryAttention: GROUPED,
  Attention: {
    call: KERAS_CALL,
    options: { taken: ['use_scale', 'score_mode', 'dropout', 'causal'] },
    make: (options) => new Attention(withoutCausal(options)),
    apply: applyKeras,
  },
  AdditiveAttention: {
    call: KERAS_CALL,
    options: { taken: ['use_scale', 'dropout', 'causal'], only: { score_mode: ['dot', null] } },
    make: (options) => new AdditiveAttention(withoutCausal(options)),
    apply: applyKeras,
  },
};

/** MultiHeadAttention as Keras 2 calls it. */
export const MULTI_HEAD_OF_KERAS_2: LayerEntry = { ...MULTI_HEAD, call: CALL_OF_KERAS_2 };
