/** What a training step costs on tfjs-node is the number of calls: counted here, so that it does not creep up. */
import * as tf from '@tensorflow/tfjs';
import { models, training } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/node';
import { describeNodeKernels } from '../../support/backends.js';

/** Functions of tfjs-node's binding. */
type Binding = Record<string, (...args: unknown[]) => unknown>;

/** Counts the calls of the binding's functions, by name. */
async function callsIn(body: () => Promise<unknown>): Promise<Record<string, number>> {
  const backend = tf.backend() as unknown as { binding: Binding };
  const { binding } = backend;
  const calls: Record<string, number> = {};
  backend.binding = new Proxy({} as Binding, {
    get: (_, name: string) => {
      const value = binding[name] as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls[name] = (calls[name] ?? 0) + 1;
        return binding[name](...args);
      };
    },
  });
  try {
    await body();
  } finally {
    backend.binding = binding;
  }
  return calls;
}

describeNodeKernels('training', () => {
  const T = 8;
  const sizes = {
    vocabularySize: 11,
    maxSequenceLength: T,
    hiddenDim: 8,
    numLayers: 4,
    numHeads: 2,
  };
  const rows = Array.from({ length: 4 }, (_, i) =>
    Array.from({ length: T + 1 }, (_, j) => (3 * i + j) % 11),
  );
  const fit = (steps: number): Promise<unknown> => {
    const model = models.causalLM({ ...sizes, seed: 1 });
    const examples = rows.map((row) => ({
      inputs: { tokenIds: row.slice(0, T) },
      labels: row.slice(1),
    }));
    const dataset = training.arrayDataset(examples, { batchSize: 2 });
    return training.fit(model, dataset, { steps, clipNorm: 1, logEvery: 1000, progress: false });
  };
  /** Calls of each step after the first. */
  const callsOfAStep = async (): Promise<Record<string, number>> => {
    await fit(1); // what runs for the first time is tried and loaded
    const [few, many] = [await callsIn(() => fit(2)), await callsIn(() => fit(6))];
    return Object.fromEntries(
      Object.entries(many).map(([name, count]) => [name, (count - (few[name] ?? 0)) / 4]),
    );
  };

  test('a step of four layers makes about a hundred calls, and reads nothing back', async () => {
    const calls = await callsOfAStep();
    expect(calls.executeOp + calls.runSavedModel).toBeLessThan(130);
    expect(calls.runSavedModel).toBeGreaterThan(40);
    expect(calls.tensorDataSync).toBe(0);
  });

  test('without the kernels it makes more than a thousand', async () => {
    unregisterKernels();
    try {
      const calls = await callsOfAStep();
      expect(calls.executeOp).toBeGreaterThan(1000);
      expect(calls.tensorDataSync).toBe(0);
    } finally {
      registerKernels();
    }
  });
});
