/** Rows of a table, and sums of rows by their number. */
import { sizeOf } from '../../util/shapes.js';
import type { NodeKernel } from './kernel.js';

/** `TransformersEmbeddingLookup` and its gradient. */
export const embeddingLookupKernels: NodeKernel[] = [
  {
    name: 'TransformersEmbeddingLookup',
    run: (call) =>
      call.graph('embeddingLookup', call.inputs, (g, { table, ids }) => [
        g.op('GatherV2', [table, ids, g.constant(0, 'int32')], {
          Tparams: { type: 'float32' },
          Tindices: { type: 'int32' },
          Taxis: { type: 'int32' },
        }),
      ]),
  },
  {
    name: 'TransformersEmbeddingLookupGrad',
    run: (call) => {
      const { dy, ids } = call.inputs;
      const M = sizeOf(ids.shape);
      const rows = [M, dy.shape[dy.shape.length - 1]];
      const count = [call.attrs.vocabularySize as number];
      return call.graph('embeddingLookupGrad', { dy, ids, rows, flat: [M], count }, (g, i) => [
        g.op(
          'UnsortedSegmentSum',
          [
            g.reshape(i.dy, i.rows),
            g.reshape(i.ids, i.flat, 'int32'),
            g.unpack(i.count, 1, 'int32')[0],
          ],
          { T: { type: 'float32' }, Tindices: { type: 'int32' }, Tnumsegments: { type: 'int32' } },
        ),
      ]);
    },
  },
];
