import * as tf from '@tensorflow/tfjs';
import { generate, type GenerateOptions } from '../../src/generation/index.js';
import { sample, stepUniforms } from '../../src/generation/sampler.js';
import { describeBackends } from '../support/backends.js';
import { chiSquare } from './chi_square.js';
import { fakeModel, tinyModel } from './tiny_models.js';

describe('sampling', () => {
  beforeAll(() => tf.setBackend('cpu'));
  const p = [0.5, 0.2, 0.15, 0.1, 0.05];
  const model = fakeModel(() => p.map(Math.log), 5);

  test('20,000 draws have the distribution: chi-square, p > 1e-4', async () => {
    const prompts = Array.from({ length: 200 }, () => [0]);
    const { ids } = await generate(model, prompts, { doSample: true, seed: 3, maxNewTokens: 100 });
    const counts = new Array<number>(5).fill(0);
    for (const row of ids) for (const id of row.slice(1)) counts[id]++;
    expect(chiSquare(counts, p)).toBeLessThan(23.51); // 4 degrees of freedom
  });

  test('filters and temperature shape it', async () => {
    const draws = async (options: GenerateOptions): Promise<number[]> => {
      const prompts = Array.from({ length: 50 }, () => [0]);
      const { ids } = await generate(model, prompts, {
        doSample: true,
        seed: 1,
        maxNewTokens: 9,
        ...options,
      });
      return [...new Set(ids.flatMap((row) => row.slice(1)))].sort();
    };
    expect(await draws({})).toEqual([0, 1, 2, 3, 4]);
    expect(await draws({ topK: 2 })).toEqual([0, 1]);
    expect(await draws({ topP: 0.8 })).toEqual([0, 1, 2]);
    expect(await draws({ minP: 0.25 })).toEqual([0, 1, 2]);
    expect(await draws({ temperature: 1e-3 })).toEqual([0]);
    // After topK the shares are 5/7 and 2/7: the order of the filters shows.
    expect(await draws({ topK: 2, topP: 0.7 })).toEqual([0]);
  });

  test('the same seed, the same ids; a row does not depend on how many there are', async () => {
    const run = async (rows: number, seed?: number): Promise<number[][]> =>
      (
        await generate(
          model,
          Array.from({ length: rows }, () => [0]),
          { doSample: true, seed },
        )
      ).ids;
    const five = await run(5, 11);
    expect(await run(5, 11)).toEqual(five);
    expect(await run(2, 11)).toEqual(five.slice(0, 2));
    expect(five[0]).not.toEqual(five[1]);
    expect(await run(5, 12)).not.toEqual(five);
    expect(await run(5)).not.toEqual(await run(5));
  });
});

describeBackends('sampling', () => {
  test('needs no kernel that draws: TensorFlow.js’ multinomial is wrong on WebGPU', async () => {
    const model = tinyModel();
    const backendName = tf.getBackend();
    const kernels = ['Multinomial', 'RandomUniformInt', 'RandomStandardNormal']
      .map((name) => tf.getKernel(name, backendName) as tf.KernelConfig | undefined)
      .filter((kernel) => kernel !== undefined);
    expect(kernels.map(({ kernelName }) => kernelName)).toContain('Multinomial');
    const drawn: number[] = [];
    try {
      for (const { kernelName } of kernels) tf.unregisterKernel(kernelName, backendName);
      const seed = 5;
      const { ids } = await generate(model, [1, 2, 3], {
        ...{ doSample: true, seed, maxNewTokens: 9, temperature: 4 },
        onStep: ({ step, scores }) => {
          drawn.push(sample(scores[0], stepUniforms(seed, step, 1)[0]));
        },
      });
      expect(ids).toEqual([[1, 2, 3, ...drawn]]);
      expect(new Set(drawn).size).toBeGreaterThan(2); // it did draw
    } finally {
      kernels.forEach(tf.registerKernel);
    }
    model.dispose();
  });
});
