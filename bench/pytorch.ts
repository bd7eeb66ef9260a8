/** A training step in PyTorch (pytorch_step.py), run in a process of its own; where a Python has it. */
import * as tf from '@tensorflow/tfjs';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Sizes } from './composed_gpt.js';

/** What both sides have to agree on. */
export interface Task {
  sizes: Sizes;
  learningRate: number;
  ids: number[];
  labels: number[];
}

/** The process. */
export class PyTorch {
  private constructor(
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    /** Version of PyTorch. */
    readonly version: string,
  ) {}

  /**
   * Starts it with the weights of a model.
   *
   * @param model The model.
   * @param task Sizes and tokens.
   * @param threads How many it may use.
   * @returns Null where neither TORCH_PYTHON nor python3 can import torch.
   */
  static async start(model: tf.LayersModel, task: Task, threads = 1): Promise<PyTorch | null> {
    const python = [process.env.TORCH_PYTHON, 'python3'].find(
      (name) => name !== undefined && spawnSync(name, ['-c', 'import torch']).status === 0,
    );
    if (python === undefined) return null;
    const folder = mkdtempSync(join(tmpdir(), 'pytorch-'));
    try {
      const values: Uint8Array[] = [];
      for (const weight of model.weights) {
        const { buffer, byteOffset, byteLength } = (await weight.read().data()) as Float32Array;
        values.push(new Uint8Array(buffer, byteOffset, byteLength));
      }
      const { sizes, learningRate, ids, labels } = task;
      const weights = model.weights.map(({ originalName, shape }) => [originalName, shape]);
      const header = { sizes, learningRate, threads, tokens: { ids, labels }, weights };
      const files = [join(folder, 'header.json'), join(folder, 'weights.bin')];
      writeFileSync(files[0], JSON.stringify(header));
      writeFileSync(files[1], Buffer.concat(values));
      const script = fileURLToPath(new URL('pytorch_step.py', import.meta.url));
      const child = spawn(python, [script, ...files], { stdio: ['pipe', 'pipe', 'inherit'] });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const { value, done } = await lines.next();
      if (done) throw new Error('pytorch_step.py ended.');
      return new PyTorch(child, lines, value);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** One step; its loss before it. */
  async step(): Promise<number> {
    this.process.stdin!.write('\n');
    const { value, done } = await this.lines.next();
    if (done) throw new Error('pytorch_step.py ended.');
    return Number(value.split(' ')[0]);
  }

  /** Ends the process. */
  stop(): void {
    this.process.stdin!.end();
  }
}
