/** What is in a file, and what is refused, is said before anything is built. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { pretrained } from 'tfjs-transformers';
import { loadFixtures } from '../../support/fixtures.js';

const folder = join(__dirname, '../../fixtures');
const inKind = (kind: string, file: string): string => join(folder, kind, file);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('inspectKeras', () => {
  test.each(loadFixtures('keras_models').map((c) => [c.name, c] as const))(
    '%s: layers, weights and parameters as Python counts them',
    async (_, { parameters }) => {
      const layers = parameters.layers as [string, string][];
      const weights = parameters.weights as { path: string; shape: number[] }[];
      const count = weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
      for (const form of ['keras', 'h5']) {
        const before = tf.memory().numTensors;
        const found = await pretrained.inspectKeras(inKind('keras_models', parameters.files[form]));
        expect(tf.memory().numTensors).toBe(before);
        expect(found.format).toBe(form);
        expect(found.kerasVersion).toBe('3.15.1');
        const named = new Set(found.layers.map(({ name }) => name));
        expect(layers.filter(([, name]) => !named.has(name))).toEqual([]);
        expect(found.parameters).toBe(count);
        expect(found.otherWeights).toEqual([]);
        expect(found.layers.flatMap((layer) => layer.weights)).toHaveLength(weights.length);
        expect(found.unsupported).toEqual([]);
        expect(found.inputs.map(({ name }) => name)).toEqual(
          (parameters.inputs as { name: string }[]).map(({ name }) => name),
        );
      }
    },
  );

  test('says of nested models where their layers are', async () => {
    const file = inKind('keras_models_more', 'nested_functional.keras');
    const { layers } = await pretrained.inspectKeras(file);
    const inner = layers.find(({ name }) => name === 'encoder/attention')!;
    expect(inner.className).toBe('MultiHeadAttention');
    expect(inner.path).toMatch(/^config\.layers\[\d+\]\.config\.layers\[\d+\]$/);
    expect(inner.weights[0].path).toMatch(/layers\/functional\/layers\/multi_head_attention\//);
  });
});

describe('what is not supported', () => {
  const file = inKind('keras_models_more', 'unsupported.keras');
  const refused = loadFixtures('keras_models_more').find((c) => c.name === 'unsupported')!
    .parameters.refused as string[];

  test('is listed, all of it, with its place', async () => {
    const { unsupported } = await pretrained.inspectKeras(file);
    const names = unsupported.map(({ layer }) => layer);
    expect(refused.filter((name) => !names.includes(name))).toEqual([]);
    for (const { path, problem } of unsupported) {
      expect(path).toMatch(/^config\.layers\[\d+\]/);
      expect(problem).not.toBe('');
    }
  });

  test('is refused at once, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const { unsupported } = await pretrained.inspectKeras(file);
    const error: unknown = await pretrained.loadKeras(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Error);
    for (const { layer, path, problem } of unsupported) {
      expect((error as Error).message).toContain(`${layer} (`);
      expect((error as Error).message).toContain(`${path}): ${problem}`);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test('does not include classes that are given', async () => {
    const custom = inKind('keras_models_more', 'custom_layer.keras');
    const without = await pretrained.inspectKeras(custom);
    expect(without.unsupported.map(({ problem }) => problem)).toEqual(['class my_package>ScaledTanh']); // prettier-ignore
    const customObjects = { ScaledTanh: () => tf.layers.activation({ activation: 'tanh' }) };
    const given = await pretrained.inspectKeras(custom, { customObjects });
    expect(given.unsupported).toEqual([]);
  });
});

test('options are checked', async () => {
  const file = inKind('keras_models', 'cross.keras');
  await expect(pretrained.inspectKeras(file, { custom: {} } as never)).rejects.toThrow(
    /inspectKeras: unknown option 'custom'/,
  );
  await expect(pretrained.loadKeras(file, { customObjects: { A: 3 as never } })).rejects.toThrow(
    /customObjects\['A'\] must be a class of layers/,
  );
});
