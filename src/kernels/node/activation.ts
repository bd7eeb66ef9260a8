/** Activations by name, in a graph: of affine maps and gates. */
import type { Activation } from '../../ops/activation.js';
import { gelu } from './gelu.js';
import type { Graph, Value } from './graph.js';
import { silu } from './silu.js';

/** What an activation does in a graph: its value and, where it is wanted, its slope. */
type Apply = (g: Graph, x: Value, withSlope: boolean) => Value[];

const ACTIVATIONS: Partial<Record<Activation, Apply>> = {
  relu: (g, x, withSlope) => {
    const y = g.unary('Relu', x);
    return withSlope ? [y, g.cast(g.op('Greater', [x, g.constant(0)]), 'bool', 'float32')] : [y];
  },
  gelu: (g, x, withSlope) => gelu(g, x, false, withSlope),
  geluTanh: (g, x, withSlope) => gelu(g, x, true, withSlope),
  silu,
  sigmoid: (g, x, withSlope) => {
    const y = g.unary('Sigmoid', x);
    return withSlope ? [y, g.mul(y, g.sub(1, y))] : [y];
  },
  tanh: (g, x, withSlope) => {
    const y = g.unary('Tanh', x);
    return withSlope ? [y, g.sub(1, g.mul(y, y))] : [y];
  },
};

/**
 * Applies an activation by its name.
 *
 * @param g The graph.
 * @param x Any shape.
 * @param name Its name; of `linear` there is nothing to apply.
 * @param withSlope Whether the slope is wanted.
 * @returns The value and, when wanted, the slope.
 */
export function activation(g: Graph, x: Value, name: Activation, withSlope: boolean): Value[] {
  const apply = ACTIVATIONS[name];
  return apply ? apply(g, x, withSlope) : [x];
}
