import * as tf from '@tensorflow/tfjs';
import { zipSync } from 'fflate';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readSavedModel } from '../../../src/pretrained/keras/read_saved_model.js';
import type { SavedModel } from '../../../src/pretrained/keras/saved_model.js';
import type { KerasSource } from '../../../src/pretrained/keras/source.js';
import { readFixtureFile } from '../../support/fixture_files.js';

const FIXTURES = join(__dirname, '..', '..', 'fixtures', 'keras_files');
const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFixtureFile(`keras_files/${name}`));
const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** All that can be compared of a model. */
function contents({ name: _, weights, ...rest }: SavedModel): unknown {
  const all = [...weights].map(([name, { dtype, shape, values }]) => [
    name,
    { dtype, shape, values: Array.from(values()) },
  ]);
  return { ...rest, weights: Object.fromEntries(all) };
}

/** numbers from 0 on, divided. */
const count = (length: number, divisor = 1): number[] =>
  Array.from({ length }, (_, i) => i / divisor);

describe('a .keras file', () => {
  test.each(['float16', 'bfloat16', 'float64'])('with weights of %s', async (dtype) => {
    const model = await readSavedModel(fixture(`${dtype}.keras`));
    expect(model).toMatchObject({
      format: 'keras',
      kerasVersion: '3.15.1',
      config: { class_name: 'Sequential' },
    });
    expect(model.weights.get('layers/dense/vars/0')).toMatchObject({
      dtype,
      tensorType: 'float32',
      shape: [3, 5],
    });
    const values = (path: string): number[] => Array.from(model.weights.get(path)!.values());
    expect(values('layers/dense/vars/0')).toEqual(count(15, 4));
    expect(values('layers/dense/vars/1')).toEqual(count(5));
    expect(values('layers/dense_1/vars/0')).toEqual(count(10, 8));
    expect(Object.fromEntries(model.groupNames!)).toMatchObject({
      '': 'model',
      'layers/dense': 'wide',
      'layers/dense_1': 'narrow',
      'layers/dropout': 'dropout',
    });
  });

  test('that was compiled, and one that is deflated', async () => {
    const compiled = await readSavedModel(fixture('float64.keras'));
    expect(compiled.config.compile_config).toMatchObject({ loss: 'mse' });
    expect([...compiled.weights.keys()]).toContain('optimizer/vars/0');
    expect(contents(await readSavedModel(fixture('deflated.keras')))).toEqual(
      contents(await readSavedModel(fixture('float16.keras'))),
    );
  });

  test.each([
    [
      { 'a.txt': text('x') },
      "is a zip archive without 'config.json'. It holds a.txt. In Python: model.save('model.keras').",
    ],
    [
      { 'config.json': text('{}'), 'metadata.json': text('{}'), 'model.weights.npz': text('x') },
      "without 'model.weights.h5'. Its weights are in NumPy's format.",
    ],
    [
      { 'config.json': text('{}'), 'metadata.json': text('{}'), 'model.weights.json': text('x') },
      'Its weights are in several files.',
    ],
    [
      { 'config.json': text('{'), 'metadata.json': text('{}'), 'model.weights.h5': text('x') },
      "member 'config.json' is not JSON",
    ],
    [
      {
        'config.json': text('{"__proto__": 1}'),
        'metadata.json': text('{}'),
        'model.weights.h5': text('x'),
      },
      "member 'config.json' has a key '__proto__'",
    ],
    [
      { 'config.json': text('{}'), 'metadata.json': text('{}'), 'model.weights.h5': text('x') },
      "member 'model.weights.h5' is a broken HDF5 file",
    ],
  ])('that lacks something (%#)', async (files, message) => {
    await expect(readSavedModel(zipSync(files))).rejects.toThrow(message);
    await expect(readSavedModel(zipSync(files))).rejects.toThrow(
      /^pretrained\.loadKeras: 'the given bytes'/,
    );
  });

  test('that unpacks to too much', async () => {
    const bomb = zipSync({
      'config.json': text('{}'),
      'metadata.json': text('{}'),
      'model.weights.h5': [new Uint8Array(2 ** 20), { level: 9 }],
    });
    await expect(readSavedModel(bomb, { maxBytes: 1e6 })).rejects.toThrow(
      /has 1048580 bytes unpacked from \d+, more than maxBytes=1000000\. Raise maxBytes if you trust it\./,
    );
    // By default 256 MiB, or 100 times what there is.
    const view = new DataView(bomb.buffer);
    for (let at = view.getUint32(bomb.length - 6, true), i = 0; i < 3; i++) {
      if (i === 2) view.setUint32(at + 24, 2 ** 28, true);
      at += 46 + view.getUint16(at + 28, true);
    }
    await expect(readSavedModel(bomb)).rejects.toThrow('more than maxBytes=268435456');
  });
});

describe('HDF5', () => {
  test('of Keras 3', async () => {
    const model = await readSavedModel(fixture('bfloat16.h5'));
    expect(model).toMatchObject({
      format: 'h5',
      kerasVersion: '3.15.1',
      config: { class_name: 'Sequential' },
    });
    expect([...model.layerWeightNames!]).toEqual([
      ['wide', ['model/wide/kernel', 'model/wide/bias']],
      ['dropout', []],
      ['narrow', ['model/narrow/kernel']],
    ]);
    expect(Array.from(model.weights.get('wide/model/wide/kernel')!.values())).toEqual(count(15, 4));
  });

  test('of Keras 2', async () => {
    const model = await readSavedModel(fixture('keras2.h5'));
    expect(model).toMatchObject({ kerasVersion: '2.13.1', trainingConfig: { loss: 'mse' } });
    expect([...model.layerWeightNames!]).toEqual([
      ['dense', ['dense/kernel:0', 'dense/bias:0']],
      ['dropout', []],
    ]);
    expect(Array.from(model.weights.get('dense/dense/kernel:0')!.values())).toEqual(count(6));
  });

  test('without a model', async () => {
    await expect(readSavedModel(fixture('newer.h5'))).rejects.toThrow(
      "'the given bytes' is HDF5, but no whole model: it has no model_config. In Python: model.save('model.keras'), not save_weights.",
    );
  });
});

const TOPOLOGY = {
  keras_version: '3.15.1',
  model_config: { class_name: 'Sequential', config: {} },
  training_config: { loss: 'mse' },
};
const WEIGHTS = [
  { name: 'a/kernel', shape: [2, 3], dtype: 'float32' },
  {
    name: 'a/bias',
    shape: [3],
    dtype: 'float32',
    quantization: { dtype: 'uint8', scale: 1, min: -1 },
  },
  { name: 'steps', shape: [], dtype: 'int32' },
];
const DATA = new Uint8Array([
  ...new Uint8Array(Float32Array.from(count(6)).buffer),
  0,
  1,
  2,
  5,
  0,
  0,
  0,
]);
const modelJson = (changes: object = {}): Uint8Array =>
  text({
    format: 'layers-model',
    modelTopology: TOPOLOGY,
    weightsManifest: [{ paths: ['1.bin', '2.bin'], weights: WEIGHTS }],
    ...changes,
  });
const files = (json = modelJson()): File[] => [
  new File([json.slice()], 'model.json'),
  // The first array is in both.
  new File([DATA.slice(0, 10)], '1.bin'),
  new File([DATA.slice(10)], '2.bin'),
];

describe('model.json', () => {
  const expected = {
    format: 'tfjs',
    kerasVersion: '3.15.1',
    config: TOPOLOGY.model_config,
    trainingConfig: { loss: 'mse' },
    weights: {
      'a/kernel': { dtype: 'float32', shape: [2, 3], values: count(6) },
      'a/bias': { dtype: 'float32', shape: [3], values: [-1, 0, 1] },
      steps: { dtype: 'int32', shape: [], values: [5] },
    },
  };

  test('as files', async () => {
    expect(contents(await readSavedModel(files()))).toEqual(expected);
  });

  test('by a handler of TensorFlow.js', async () => {
    const artifacts = {
      modelTopology: TOPOLOGY,
      weightSpecs: WEIGHTS,
      weightData: [DATA.slice(0, 10).buffer, DATA.slice(10).buffer],
    };
    const handler = tf.io.fromMemory(artifacts as unknown as tf.io.ModelArtifacts);
    expect(contents(await readSavedModel(handler as tf.io.IOHandler))).toEqual(expected);
  });

  test('as TensorFlow.js itself saves models', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    let saved: SavedModel | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = await readSavedModel(tf.io.fromMemory(artifacts) as tf.io.IOHandler);
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    expect(saved).toMatchObject({
      format: 'tfjs',
      kerasVersion: expect.stringContaining('tfjs') as string,
      config: { class_name: 'Sequential' },
    });
    expect([...saved!.weights.values()].map(({ shape }) => shape)).toEqual([[3, 2], [2]]);
    model.dispose();
  });

  test.each([
    [{ format: 'graph-model' }, 'is a graph model, which has no layers.'],
    [{ modelTopology: null }, 'must have a modelTopology, got modelTopology=null.'],
    [{ modelTopology: {} }, 'has a modelTopology without a class_name.'],
    [
      { weightsManifest: [{ paths: ['../1.bin'], weights: [] }] },
      'names a file "../1.bin", outside of its folder. Don\'t use it.',
    ],
    [{ weightsManifest: [{ paths: ['/etc/passwd'], weights: [] }] }, 'outside of its folder'],
    [
      { weightsManifest: [{ paths: ['https://example.com/1.bin'], weights: [] }] },
      'outside of its folder',
    ],
    [
      { weightsManifest: [{ paths: ['3.bin'], weights: [] }] },
      "'model.json' needs the file '3.bin', which was not given.",
    ],
    [
      { weightsManifest: [{ paths: ['1.bin'], weights: WEIGHTS }] },
      "the weights up to 'a/kernel' have 24 bytes, got 10.",
    ],
    [
      { weightsManifest: [{ paths: ['1.bin', '2.bin'], weights: [...WEIGHTS, WEIGHTS[0]] }] },
      "the weights up to 'a/kernel' have 55 bytes, got 31.",
    ],
    [
      {
        weightsManifest: [
          {
            paths: ['1.bin', '2.bin'],
            weights: [WEIGHTS[0], { ...WEIGHTS[1], name: 'a/kernel' }, WEIGHTS[2]],
          },
        ],
      },
      "weight 'a/kernel' is there twice.",
    ],
  ])('that cannot be used (%#)', async (changes, message) => {
    await expect(readSavedModel(files(modelJson(changes)))).rejects.toThrow(message);
  });

  test('with more bytes than allowed', async () => {
    await expect(readSavedModel(files(), { maxBytes: 5 })).rejects.toThrow('more than maxBytes=5');
    const json = modelJson().length;
    await expect(readSavedModel(files(), { maxBytes: json })).resolves.toBeDefined();
    await expect(
      readSavedModel([files()[0], new File([new Uint8Array(json)], '1.bin'), files()[2]], {
        maxBytes: json,
      }),
    ).rejects.toThrow(
      `its weights have more than maxBytes=${json}. Raise maxBytes if you trust it.`,
    );
  });
});

describe('places', () => {
  let folder: string;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keras-'));
    await writeFile(join(folder, 'm.keras'), fixture('float16.keras'));
    for (const file of files())
      await writeFile(join(folder, file.name), new Uint8Array(await file.arrayBuffer()));
    server = createServer((request, response) => {
      const name = (request.url ?? '').replace(/\?token=1$/, '').slice(1);
      if (name === 'broken') {
        response.setHeader('content-length', 1000).write('1234');
        setTimeout(() => response.destroy(), 50);
        return;
      }
      readFile(join(folder, name)).then(
        (bytes) => {
          // 2.bin comes without its length.
          if (name === '2.bin') response.write(bytes);
          else response.setHeader('content-length', bytes.length);
          response.end(name === '2.bin' ? undefined : bytes);
        },
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  test('paths, URLs, files and bytes are the same', async () => {
    const bytes = fixture('float16.keras');
    const expected = contents(await readSavedModel(bytes));
    const sources: KerasSource[] = [
      join(folder, 'm.keras'),
      pathToFileURL(join(folder, 'm.keras')),
      pathToFileURL(join(folder, 'm.keras')).href,
      `${url}/m.keras`,
      new URL(`${url}/m.keras?token=1`),
      new Blob([bytes.slice()]),
      new File([bytes.slice()], 'm.keras'),
      [new File([bytes.slice()], 'm.keras')],
      bytes.slice().buffer,
      Buffer.concat([Buffer.alloc(3), bytes]).subarray(3), // at an odd place
    ];
    for (const source of sources) expect(contents(await readSavedModel(source))).toEqual(expected);
  });

  test('shards beside a model.json', async () => {
    const expected = contents(await readSavedModel(files()));
    for (const source of [
      join(folder, 'model.json'),
      `${url}/model.json`,
      `${url}/model.json?token=1`,
    ]) {
      expect(contents(await readSavedModel(source))).toEqual(expected);
    }
  });

  test('files that are not there', async () => {
    await expect(readSavedModel(join(folder, 'x.keras'))).rejects.toThrow(
      /^pretrained\.loadKeras: '.*x\.keras' cannot be opened \(ENOENT.*\)\. Check the path\.$/,
    );
    await expect(readSavedModel(folder)).rejects.toThrow(
      /cannot be read \(EISDIR.*Give the path of a file\./,
    );
    await expect(readSavedModel(`${url}/x.keras`)).rejects.toThrow(
      `pretrained.loadKeras: '${url}/x.keras' answers with status 404 Not Found. Check the URL.`,
    );
    await expect(readSavedModel('http://127.0.0.1:1/x.keras')).rejects.toThrow(
      "'http://127.0.0.1:1/x.keras' cannot be fetched (",
    );
    await expect(readSavedModel(`${url}/broken`)).rejects.toThrow(
      /^pretrained\.loadKeras: '.*broken' broke off after 4 bytes \(.*\)\. Try again\.$/,
    );
    await expect(readSavedModel('nothing://x')).rejects.toThrow(
      "nothing here loads 'nothing://x'.",
    );
  });

  test('more bytes than allowed, announced or not', async () => {
    await expect(readSavedModel(`${url}/m.keras`, { maxBytes: 99 })).rejects.toThrow(
      /has 16949 bytes, more than maxBytes=99\. Raise maxBytes if you trust it\./,
    );
    await expect(readSavedModel(`${url}/2.bin`, { maxBytes: 9 })).rejects.toThrow(
      'has too many bytes, more than maxBytes=9',
    );
    await expect(readSavedModel(fixture('float16.h5'), { maxBytes: 99 })).rejects.toThrow(
      'more than maxBytes=99',
    );
  });

  test('nothing stays open', async () => {
    const open = async (): Promise<number> =>
      (await import('node:fs/promises')).readdir('/proc/self/fd').then(({ length }) => length);
    await writeFile(join(folder, 'cut.keras'), fixture('float16.keras').subarray(0, 9000));
    const before = await open();
    await readSavedModel(join(folder, 'model.json'));
    await expect(readSavedModel(join(folder, 'cut.keras'))).rejects.toThrow('is cut off');
    expect(await open()).toBe(before);
  });
});

describe('arguments', () => {
  test.each([
    [
      5,
      'pretrained.loadKeras: source must be a path, a URL, a File or several, the bytes of a file, or a handler of TensorFlow.js, got source=5.',
    ],
    [{}, 'source must be a path'],
    [[], 'source must be a path'],
    [[1], 'source must be a path'],
    [null, 'source must be a path'],
    [new Uint8Array(0), "'the given bytes' is empty."],
    [
      text('hello'),
      "'the given bytes' is neither a .keras file, nor HDF5, nor a model.json. In Python: model.save('model.keras').",
    ],
    [text('{"a"'), "'the given bytes' is not JSON"],
    [modelJson(), "'1.bin' is not among the given bytes. Give a path, a URL or all Files."],
    [
      files().slice(1),
      "of several files one must be the model.json, the .keras or the .h5, got '1.bin', '2.bin'.",
    ],
    [[...files(), files()[1]], "needs the file '1.bin', which was given twice."],
  ])('%#', async (source, message) => {
    await expect(readSavedModel(source as KerasSource)).rejects.toThrow(message);
  });

  test('limits, and who is called', async () => {
    await expect(readSavedModel('x', { maxBytes: 0 }, 'f')).rejects.toThrow('f: maxBytes must be');
    await expect(readSavedModel('x', { maxbytes: 5 } as object)).rejects.toThrow(
      "Did you mean 'maxBytes'?",
    );
    await expect(readSavedModel(text('x'), {}, 'f')).rejects.toThrow(
      /^f: 'the given bytes' is neither/,
    );
    expect((await readSavedModel(join(FIXTURES, 'keras2.h5'))).name).toBe(
      join(FIXTURES, 'keras2.h5'),
    );
  });
});
