import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { fit } from '../../src/training/fit.js';
import { tensorBoard } from '../../src/training/tensor_board.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { backendNames, describeBackends, useBackend } from '../support/backends.js';
import { tinyModel } from './tiny_model.js';

const dataset = () => textDataset([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { sequenceLength: 3 });

describe('tensorBoard', () => {
  beforeAll(() => useBackend('cpu'));

  test('hands every number over by its name, and leaves the backend as it was', async () => {
    const written: [string, number][] = [];
    const seen: string[] = [];
    const pretended = !('tensorflow' in tf.engine().registryFactory);
    if (pretended) tf.registerBackend('tensorflow', () => new tf.KernelBackend());
    const tfjsNode = {
      node: {
        summaryFileWriter: (directory: string) => ({
          scalar: (name: string, value: number, step: number) => {
            expect(Number.isFinite(value)).toBe(true);
            seen.push(tf.getBackend());
            written.push([`${directory} ${name}`, step]);
          },
          flush: () => undefined,
        }),
      },
    };
    try {
      await fit(tinyModel(), dataset(), {
        steps: 2,
        logEvery: 2,
        clipNorm: 1,
        validationData: dataset(),
        validateEvery: 2,
        metrics: ['accuracy'],
        callbacks: [tensorBoard('here', { tfjsNode })],
      });
    } finally {
      if (pretended) {
        const { registry, registryFactory } = tf.engine();
        for (const entries of [registry, registryFactory])
          Reflect.deleteProperty(entries, 'tensorflow');
      }
    }
    expect(written).toEqual([
      ['here train/loss', 2],
      ['here train/learning_rate', 2],
      ['here train/gradient_norm', 2],
      ['here train/tokens_per_second', 2],
      ['here validation/loss', 2],
      ['here validation/accuracy', 2],
    ]);
    expect(new Set(seen)).toEqual(new Set(['tensorflow']));
    expect(tf.getBackend()).toBe('cpu');
  });

  test('says what is missing', async () => {
    expect(() => tensorBoard('')).toThrow(
      "tensorBoard: directory must be a path, got directory=''",
    );
    await expect(tensorBoard('here', { tfjsNode: {} }).onStart!({ step: 0 })).rejects.toThrow(
      'tensorBoard: tfjsNode must be the module @tensorflow/tfjs-node',
    );
    const tfjsNode = Promise.reject(new Error('it is not built'));
    await expect(tensorBoard('here', { tfjsNode }).onStart!({ step: 0 })).rejects.toThrow(
      'tensorBoard: @tensorflow/tfjs-node writes the events, got package @tensorflow/tfjs-node cannot be loaded ' +
        '(it is not built). Install it, or log with jsonLines.',
    );
  });
});

if (backendNames.includes('tensorflow')) {
  describeBackends('tensorBoard with tfjs-node', () => {
    test('writes a file of events, whatever the run computes on', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'board-'));
      const backend = tf.getBackend();
      await fit(tinyModel(), dataset(), {
        steps: 3,
        logEvery: 1,
        callbacks: [tensorBoard(folder)],
      });
      expect(tf.getBackend()).toBe(backend);
      const [name] = await readdir(folder);
      expect(name).toMatch(/^events\.out\.tfevents/);
      const text = (await readFile(join(folder, name))).toString('latin1');
      expect(text.split('train/loss')).toHaveLength(4);
      await rm(folder, { recursive: true });
    });
  });
}
