/** The order of layers that Keras finds for itself: that of the files it wrote. */
import { unzipSync } from 'fflate';
import { tensorsIn, type Graph } from '../../../src/pretrained/keras/graph.js';
import { executionOrder, inKerasOrder } from '../../../src/pretrained/keras/layer_order.js';
import { readGraph } from '../../../src/pretrained/keras/read_graph.js';
import { readFixtureFile } from '../../support/fixture_files.js';
import { loadFixtures } from '../../support/fixtures.js';
import { KERAS_KINDS } from '../../support/keras_models.js';

const files = KERAS_KINDS.flatMap((kind) =>
  loadFixtures(kind).flatMap(({ parameters }) => {
    const { keras } = parameters.files as { keras?: string };
    return keras === undefined ? [] : [[kind, keras] as const];
  }),
);

function graphOf(kind: string, file: string): Graph {
  const bytes = unzipSync(new Uint8Array(readFixtureFile(`${kind}/${file}`)))['config.json'];
  return readGraph(file, JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>);
}

/** Functional models with their layers in the wrong order. */
function mixed(graph: Graph): Graph {
  const layers = graph.layers.map((layer) =>
    layer.graph ? { ...layer, graph: mixed(layer.graph) } : layer,
  );
  return { ...graph, layers: graph.isSequential ? layers : [...layers].reverse() };
}

type Names = (string | Names)[];
const namesOf = ({ layers }: Graph): Names =>
  layers.flatMap(({ name, graph }) => (graph ? [name, namesOf(graph)] : [name]));

test.each(files)('%s %s: layers', (kind, file) => {
  const graph = graphOf(kind, file);
  expect(namesOf(inKerasOrder(mixed(graph)))).toEqual(namesOf(graph));
});

test.each(files)('%s %s: calls', (kind, file) => {
  const graph = graphOf(kind, file);
  const keys = ({ layer, node }: Graph['calls'][number]): string => `${layer.name} ${node}`;
  const order = executionOrder(graph);
  expect(order.map(keys).sort()).toEqual(graph.calls.map(keys).sort());
  const done = new Set(graph.inputs.map(({ tensor }) => `${tensor.layer} ${tensor.node}`));
  for (const call of order) {
    const { args, kwargs } = call.layer.nodes[call.node];
    for (const { layer, node } of [...tensorsIn(args), ...tensorsIn({ ...kwargs })]) {
      expect(done).toContain(`${layer} ${node}`);
    }
    done.add(keys(call));
  }
});
