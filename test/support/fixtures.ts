/** Reads the reference numbers in test/fixtures: cases.json beside a safetensors file. */
import * as tf from '@tensorflow/tfjs';
import { expectClose, type Expected, type Tolerance } from './expect_close.js';
import { readFixtureFile } from './fixture_files.js';

interface TensorEntry {
  key: string;
  dtype: 'float32' | 'int32' | 'bool';
  shape: number[];
}

/** One case of a fixture file. */
export class FixtureCase {
  constructor(
    readonly name: string,
    readonly parameters: Record<string, any>,
    private readonly entries: Record<string, TensorEntry>,
    private readonly tolerances: Record<string, Tolerance>,
    private readonly compare: Record<string, string>,
    private readonly values: Map<string, ArrayLike<number>>,
  ) {}

  /** Whether the case holds a tensor of that local name. */
  has(name: string): boolean {
    return name in this.entries;
  }

  /** Local names of the tensors, in the order of the file. */
  get names(): string[] {
    return Object.keys(this.entries);
  }

  /** Shape and numbers of a tensor. */
  array(name: string): Expected {
    const entry = this.entries[name];
    if (entry === undefined) throw new Error(`${this.name} holds no tensor '${name}'.`);
    return { shape: entry.shape, values: this.values.get(entry.key)! };
  }

  /** A tensor on the current backend, with the dtype of the file. */
  tensor(name: string): tf.Tensor {
    const { shape, values } = this.array(name);
    const { dtype } = this.entries[name];
    const typed =
      dtype === 'float32'
        ? Float32Array.from(values)
        : dtype === 'int32'
          ? Int32Array.from(values)
          : Uint8Array.from(values);
    return tf.tensor(typed, shape, dtype);
  }

  /** Compares within the tolerance of the file, only where its `compare` mask allows. */
  expect(name: string, got: tf.Tensor): void {
    const tolerance = this.tolerances[name] ?? { atol: 0, rtol: 0 };
    const expected = this.array(name);
    if (!(name in this.compare)) return expectClose(got, expected, tolerance);
    const live = this.array(this.compare[name]);
    const inner = expected.values.length / live.values.length;
    const values = Array.from(expected.values);
    const data = got.dataSync();
    for (let i = 0; i < values.length; i++) {
      if (!live.values[Math.floor(i / inner)]) values[i] = data[i];
    }
    expectClose(got, { shape: expected.shape, values }, tolerance);
  }
}

/**
 * Loads all cases of a kind.
 *
 * @param kind Folder under test/fixtures, for example `attention`.
 * @returns The cases in the order of the file.
 */
export function loadFixtures(kind: string): FixtureCase[] {
  const { file, cases } = JSON.parse(textOf(readFixtureFile(`${kind}/cases.json`)));
  const values = readSafetensors(readFixtureFile(`${kind}/${file}`));
  return cases.map(
    (c: any) =>
      new FixtureCase(c.name, c.parameters, c.tensors, c.tolerance ?? {}, c.compare ?? {}, values),
  );
}

/**
 * The numbers in a safetensors file. Widens bfloat16 to float32.
 *
 * @param bytes The file.
 * @returns One flat array a tensor, by name.
 */
export function readSafetensors(bytes: Uint8Array): Map<string, ArrayLike<number>> {
  const headerSize = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(textOf(bytes.subarray(8, 8 + headerSize)));
  const data = new Uint8Array(bytes.subarray(8 + headerSize));
  const values = new Map<string, ArrayLike<number>>();
  for (const [name, entry] of Object.entries<any>(header)) {
    if (name === '__metadata__') continue;
    const part = data.slice(entry.data_offsets[0], entry.data_offsets[1]).buffer;
    if (entry.dtype === 'F32') values.set(name, new Float32Array(part));
    else if (entry.dtype === 'BF16')
      values.set(
        name,
        new Float32Array(Uint32Array.from(new Uint16Array(part), (x) => x << 16).buffer),
      );
    else if (entry.dtype === 'I32') values.set(name, new Int32Array(part));
    else if (entry.dtype === 'BOOL') values.set(name, new Uint8Array(part));
    else throw new Error(`${name}: dtype ${entry.dtype} does not occur in our fixtures.`);
  }
  return values;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
