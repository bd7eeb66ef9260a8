/** Layers of Keras that merge several tensors. */
import type { OperandTemplate } from '../../layers/operator.js';
import type { Flow, LayerCall, LayerEntry, OperandValue } from './layer_entry.js';
import { combined, type Mask } from './masks.js';

const CALL: LayerEntry['call'] = { inputs: 'list', mask: 'unused', training: 'unused' };

/**
 * The mask of what is merged element by element. Keras 3 lets it end when one of them has none, and else takes a step for
 * real that is real in any; Keras 2 takes those that are there, and a step for real that is real in all.
 */
function mergedMask(inputs: readonly Flow[], { context }: LayerCall): Mask | null {
  const masks = inputs.map(({ mask }) => mask).filter((mask) => mask !== null);
  if (masks.length === 0) return null;
  if (context.version.major < 3) return combined('and', masks);
  return masks.length < inputs.length ? null : combined('or', masks);
}

/** Tensors of one rank: those with fewer axes get some behind the batch. */
function aligned(call: LayerCall): OperandValue[] {
  const inputs = call.values.inputs as Flow[];
  const rank = Math.max(...inputs.map(({ tensor }) => tensor.shape.length));
  return inputs.map(({ tensor }, i) => {
    const missing = rank - tensor.shape.length;
    if (missing === 0) return tensor;
    const axes = Array.from({ length: missing }, (_, axis) => axis + 1);
    return call.context.operator(`${call.source.name}_input_${i}`, 'expandDims', [tensor, axes])[0];
  });
}

function merge(op: string): LayerEntry {
  return {
    call: CALL,
    options: {},
    apply: (_, call) => {
      const [tensor] = call.context.operator(call.source.name, op, aligned(call));
      return [{ tensor, mask: mergedMask(call.values.inputs as Flow[], call) }];
    },
  };
}

/** Features side by side, or one sequence behind another. */
function joinedMask(inputs: readonly Flow[], axis: number, { context }: LayerCall): Mask | null {
  const masks = inputs.map(({ mask }) => mask);
  const given = masks.filter((mask) => mask !== null);
  if (given.length === 0) return null;
  const rank = inputs[0].tensor.shape.length;
  if ((axis + rank) % rank === rank - 1) {
    if (context.version.major < 3) return combined('and', given);
    // With one that has none, every step is real: as good as no mask.
    return given.length < masks.length ? null : combined('or', given);
  }
  const parts = masks.map((mask, i) => mask ?? ({ kind: 'all', of: inputs[i].tensor } as const));
  return { kind: 'joined', parts, axis: (axis + rank) % rank };
}

/** Layers that merge, by class. */
export const MERGE: Readonly<Record<string, LayerEntry>> = {
  Add: merge('add'),
  Subtract: merge('subtract'),
  Multiply: merge('multiply'),
  Average: merge('average'),
  Maximum: merge('maximum'),
  Minimum: merge('minimum'),
  Concatenate: {
    call: CALL,
    options: { ignored: ['axis'] },
    apply: (_, call) => {
      const inputs = call.values.inputs as Flow[];
      const axis = (call.source.config.axis ?? -1) as number;
      const operands = [inputs.map(({ tensor }) => tensor), axis];
      const [tensor] = call.context.operator(call.source.name, 'concatenate', operands);
      return [{ tensor, mask: joinedMask(inputs, axis, call) }];
    },
  },
  Dot: {
    call: CALL,
    options: { ignored: ['axes', 'normalize'] },
    apply: (_, call) => {
      const [x, y] = call.values.inputs as Flow[];
      const { axes, normalize = false } = call.source.config;
      const operands = [x.tensor, y.tensor, axes as OperandTemplate, normalize as boolean];
      const [tensor] = call.context.operator(call.source.name, 'batchDot', operands);
      return [{ tensor, mask: null }];
    },
  },
};
