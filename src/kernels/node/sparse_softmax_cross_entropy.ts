/** Cross-entropy of integer labels, with TensorFlow's own operation, which gives loss and gradient in one. */
import type * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../util/shapes.js';
import { nth } from './graph.js';
import type { NodeCall, NodeKernel } from './kernel.js';

/** `TransformersSparseSoftmaxCrossEntropy` and its gradient. */
export const sparseSoftmaxCrossEntropyKernels: NodeKernel[] = [
  { name: 'TransformersSparseSoftmaxCrossEntropy', run: forward },
  {
    name: 'TransformersSparseSoftmaxCrossEntropyGrad',
    run: (call) => {
      const { dy, logits, residual0: slope } = call.inputs;
      const feeds = { dy, slope, column: [sizeOf(dy.shape), 1], shape: logits.shape };
      return call.graph('crossEntropyGrad', feeds, (g, i) => [
        g.reshape(g.mul(i.slope, g.reshape(i.dy, i.column)), i.shape),
      ]);
    },
  },
];

function forward(call: NodeCall): tf.TensorInfo[] {
  const { logits, labels } = call.inputs;
  const { ignoreIndex, labelSmoothing } = call.attrs as Record<string, number>;
  const V = logits.shape[logits.shape.length - 1];
  const M = sizeOf(labels.shape);
  const feeds = { logits, labels, rows: [M, V], flat: [M], column: [M, 1], shape: labels.shape };
  const residuals = call.keepsResiduals;
  const key = `crossEntropy ${ignoreIndex} ${labelSmoothing} ${V} ${residuals}`;
  return call.graph(key, feeds, (g, i) => {
    const rows = g.reshape(i.logits, i.rows);
    const label = g.reshape(i.labels, i.flat, 'int32');
    const int = { T: { type: 'int32' } } as const;
    const counted = g.op('NotEqual', [label, g.constant(ignoreIndex, 'int32')], int);
    // An ignored position takes label 0: TensorFlow refuses one that is out of range.
    const column = g.op('Mul', [label, g.cast(counted, 'bool', 'int32')], int);
    const types = { T: { type: 'float32' }, Tlabels: { type: 'int32' } } as const;
    let loss = g.op('SparseSoftmaxCrossEntropyWithLogits', [rows, column], types);
    let slope = nth(loss, 1);
    if (labelSmoothing > 0) {
      const on = g.constant(1 - labelSmoothing + labelSmoothing / V);
      const off = g.constant(labelSmoothing / V);
      const hot = { T: { type: 'float32' }, TI: { type: 'int32' } } as const;
      const target = g.op('OneHot', [column, g.constant(V, 'int32'), on, off], hot);
      loss = g.op('SoftmaxCrossEntropyWithLogits', [rows, target]);
      slope = nth(loss, 1);
    }
    const losses = g.reshape(g.select(counted, loss, 0), i.shape);
    if (!residuals) return [losses];
    return [losses, g.mul(slope, g.reshape(g.cast(counted, 'bool', 'float32'), i.column))];
  });
}
