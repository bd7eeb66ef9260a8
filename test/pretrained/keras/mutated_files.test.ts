/**
 * Real files with bytes changed, cut off or put in: each gives a model, or an error that names the file. None hangs, takes
 * gigabytes, or ends in an error of JavaScript's own. `FILES=10000 npx jest mutated_files` tries more of them.
 */
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import { memorySource } from '../../../src/pretrained/formats/byte_source.js';
import { readZipDirectory, readZipMember } from '../../../src/pretrained/formats/zip.js';
import { readSavedModel } from '../../../src/pretrained/keras/read_saved_model.js';
import { readFixtureFile } from '../../support/fixture_files.js';

const RUNS = Number(process.env.FILES ?? 150);
/** Milliseconds for one file of 20 to 130 kB, on a busy machine. */
const PATIENCE = 5000;

/** A change: where (as a fraction of the file), how many bytes go, and which come. */
interface Change {
  at: number;
  remove: number;
  insert: Uint8Array;
}

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
/** Single bytes, and what makes numbers large: runs of 0, 1, 127, 128 and 255. */
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 4 }),
  fc
    .tuple(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 1, max: 8 }))
    .map(([byte, length]) => new Uint8Array(length).fill(byte)),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({ at, insert: bytes })
      .map((set) => ({ ...set, remove: set.insert.length })),
  },
  { weight: 1, arbitrary: fc.record({ at, insert: bytes, remove: fc.constant(0) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      at,
      remove: fc.oneof(fc.nat(100), fc.constant(Infinity)),
      insert: fc.constant(new Uint8Array(0)),
    }),
  },
);

function mutate(file: Uint8Array, changes: readonly Change[]): Uint8Array<ArrayBuffer> {
  const out = [...file];
  for (const { at: place, remove, insert } of changes)
    out.splice(Math.floor(place * out.length), remove, ...insert);
  return Uint8Array.from(out);
}

/** Reads everything. */
async function load(file: Uint8Array | Blob[]): Promise<void> {
  const start = performance.now();
  const before = process.memoryUsage().arrayBuffers;
  try {
    const { weights } = await readSavedModel(file);
    for (const { tensorType, shape, values } of weights.values()) {
      if (tensorType === null) continue;
      const size = shape.reduce((product, axis) => product * axis, 1);
      expect(readOrRefuse(values)?.length ?? size).toBe(size);
    }
  } catch (error) {
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect((error as Error).message).toMatch(
      /^pretrained\.loadKeras: '(the given bytes|model\.json)'/,
    );
  }
  expect(performance.now() - start).toBeLessThan(PATIENCE);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 28);
}

/** Integers may have become too large for 32 bits. */
function readOrRefuse<T>(values: () => T): T | undefined {
  try {
    return values();
  } catch (error) {
    expect((error as Error).message).toContain('which does not fit into the int32');
    return undefined;
  }
}

const read = (name: string): Uint8Array => new Uint8Array(readFixtureFile(name));

test.each([
  'keras_files/float64.keras',
  'keras_files/deflated.keras',
  'keras_files/float64.h5',
  'keras_files/keras2.h5',
])('%s', async (name) => {
  const file = read(name);
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) =>
      load(mutate(file, changes)),
    ),
    { numRuns: RUNS },
  );
});

test('weights in an archive whose checksums are right', async () => {
  const source = memorySource('a', read('keras_files/float64.keras'));
  const members = await readZipDirectory('a', source);
  const [config, metadata, weights] = await Promise.all(
    ['config.json', 'metadata.json', 'model.weights.h5'].map((name) =>
      readZipMember('a', source, members.get(name)!),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) =>
      load(
        zipSync(
          {
            'config.json': config,
            'metadata.json': metadata,
            'model.weights.h5': mutate(weights, changes),
          },
          { level: 0 },
        ),
      ),
    ),
    { numRuns: RUNS },
  );
});

test('model.json', async () => {
  const json = new TextEncoder().encode(
    JSON.stringify({
      modelTopology: {
        keras_version: '3.15.1',
        model_config: { class_name: 'Sequential', config: { name: 'x' } },
      },
      weightsManifest: [
        {
          paths: ['1.bin'],
          weights: [
            { name: 'a', shape: [2, 3], dtype: 'float32' },
            {
              name: 'b',
              shape: [4],
              dtype: 'float32',
              quantization: { dtype: 'uint8', scale: 0.5, min: 0 },
            },
          ],
        },
      ],
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) =>
      load([
        new File([mutate(json, changes)], 'model.json'),
        new File([new Uint8Array(28)], '1.bin'),
      ]),
    ),
    { numRuns: RUNS },
  );
});
