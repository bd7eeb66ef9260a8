/** Saving as `.keras`: what comes back predicts the same, and what Keras does not have is refused at once. */
import * as tf from '@tensorflow/tfjs';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { layers, models } from 'tfjs-transformers';
import * as pretrained from '../../../src/pretrained/index.js';
import { describeBackends } from '../../support/backends.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';
import { loadFixtures, type FixtureCase } from '../../support/fixtures.js';
import {
  customObjects,
  expectPredictions,
  fixtureAsFile,
  KERAS_KINDS,
  predictCase,
} from '../../support/keras_models.js';
import { builtModels } from './built_models.js';

const fixtures = KERAS_KINDS.flatMap((kind) =>
  loadFixtures(kind).map((fixture) => [kind, fixture] as const),
);
const filesOf = (fixture: FixtureCase): Record<string, string> =>
  fixture.parameters.files as Record<string, string>;
const FORMATS = ['keras', 'h5', 'keras2'];
const saved = fixtures.flatMap(([kind, fixture]) =>
  FORMATS.filter((format) => format in filesOf(fixture) && !('refused' in fixture.parameters)).map(
    (format) => [kind, format, fixture] as const,
  ),
);

/** Where the models go that Python is to open, as in `python/check_saved.py`. */
const folder = process.env.KERAS_SAVED ?? mkdtempSync(join(tmpdir(), 'saved-'));
afterAll(() => {
  if (!process.env.KERAS_SAVED) rmSync(folder, { recursive: true, force: true });
});

function keep(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}

describeBackends('saveKeras', () => {
  for (const [kind, format, fixture] of saved) {
    test(`${kind} ${fixture.name} from ${format}, and back`, async () => {
      const file = fixtureAsFile(kind, filesOf(fixture)[format]);
      const model = await pretrained.loadKeras(file, { customObjects });
      const bytes = await pretrained.saveKeras(model);
      keep(`${kind}/${fixture.name}.${format}.keras`, bytes);
      const again = await pretrained.loadKeras(bytes, { customObjects });
      expectPredictions(again, fixture);
      const [before, after] = [predictCase(model, fixture), predictCase(again, fixture)];
      for (const [name, output] of before) expectIdentical(after.get(name)!, output);
      tf.dispose([...before.values(), ...after.values()]);
      model.dispose();
      again.dispose();
    });
  }

  for (const [name, { build, inputs }] of Object.entries(builtModels)) {
    test(`built in JavaScript: ${name}`, async () => {
      const model = build();
      const given = inputs.map((make) => make());
      const outputs = [model.predict(given)].flat();
      const bytes = await pretrained.saveKeras(model);
      keep(`built/${name}.keras`, bytes);
      const record = (tensor: tf.Tensor): object => ({
        dtype: tensor.dtype,
        shape: tensor.shape,
        values: Array.from(tensor.dataSync()),
      });
      const byName = Object.fromEntries(model.inputNames.map((n, i) => [n, record(given[i])]));
      const text = JSON.stringify({ inputs: byName, outputs: outputs.map(record) });
      keep(`built/${name}.json`, new TextEncoder().encode(text));
      const again = await pretrained.loadKeras(bytes);
      const results = [again.predict(given)].flat();
      results.forEach((result, i) => expectClose(result, outputs[i], { atol: 1e-5 }));
      tf.dispose([...given, ...outputs, ...results]);
      model.dispose();
      again.dispose();
    });
  }

  test('the weights are those of now, not those of the file', async () => {
    const fixture = loadFixtures('keras_models').find(({ name }) => name === 'classifier')!;
    const model = await pretrained.loadKeras(fixtureAsFile('keras_models', 'classifier.keras'));
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const x = fixture.tensor('token_ids');
    await model.fit(x, tf.zeros([x.shape[0], 3]), { verbose: 0 });
    const again = await pretrained.loadKeras(await pretrained.saveKeras(model));
    const [expected, got] = [model, again].map((one) => one.predict(x) as tf.Tensor);
    expectIdentical(got, expected);
    tf.dispose([x, expected, got]);
    model.dispose();
    again.dispose();
  });

  test('a path, a file that is replaced', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    const path = join(folder, 'some.keras');
    writeFileSync(path, 'old');
    const bytes = await pretrained.saveKeras(model, path);
    expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
    expect(readdirSync(folder).filter((name) => name.includes('some'))).toEqual(['some.keras']);
    model.dispose();
  });

  test('all that Keras does not have is named at once, and nothing is written', async () => {
    const ids = tf.input({ shape: [5], dtype: 'int32', name: 'ids' });
    const embedding = tf.layers.embedding({ inputDim: 7, outputDim: 8, name: 'embedding' });
    const rotated = layers.multiHeadAttention({
      numHeads: 2,
      keyDim: 4,
      rotary: true,
      name: 'rotated',
    });
    const x = rotated.apply(embedding.apply(ids)) as tf.SymbolicTensor;
    const lstm = tf.layers.lstm({ units: 3, name: 'lstm' });
    const model = tf.model({ inputs: ids, outputs: lstm.apply(x) as tf.SymbolicTensor });
    const path = join(folder, 'never.keras');
    const error = await pretrained.saveKeras(model, path).then(
      () => '',
      (e: unknown) => (e as Error).message,
    );
    expect(error).toContain("layer 'rotated' (MultiHeadAttention): option rotary=");
    expect(error).toContain("layer 'lstm' (LSTM): recurrentActivation 'hardSigmoid'");
    expect(error).toContain('training.modelFiles');
    expect(readdirSync(folder)).not.toContain('never.keras');
    const gpt = models.causalLM({
      vocabularySize: 11, maxSequenceLength: 7, hiddenDim: 8, numLayers: 1, numHeads: 2,
    }); // prettier-ignore
    await expect(pretrained.saveKeras(gpt)).rejects.toThrow(
      /\(TransformerBlock\): Keras has no such layer/,
    );
    gpt.dispose();
    model.dispose();
  });

  test('bad arguments', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    await expect(pretrained.saveKeras({} as tf.LayersModel)).rejects.toThrow(
      'saveKeras: model must be a tf.LayersModel',
    );
    await expect(pretrained.saveKeras(model, 7 as unknown as string)).rejects.toThrow(
      'saveKeras: destination must be a path or downloads://NAME, got destination=7',
    );
    await expect(pretrained.saveKeras(model, 'downloads://x')).rejects.toThrow(
      'saveKeras: downloads:// needs a page',
    );
    model.dispose();
  });
});

// With Keras at hand, all of the above is opened there too: KERAS_PYTHON names the Python, `python3` unless given.
const python = process.env.KERAS_PYTHON ?? 'python3';
const find =
  'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ["keras", "torch", "safetensors"])))';
if (spawnSync(python, ['-c', find]).status === 0) {
  test('Python opens what was saved, and predicts the same', () => {
    const root = join(__dirname, '../..');
    const script = join(root, 'pretrained/python/check_saved.py');
    const run = spawnSync(python, ['-W', 'ignore', script, join(root, 'fixtures'), folder], {
      env: { ...process.env, KERAS_BACKEND: 'torch', PYTHONDONTWRITEBYTECODE: '1' },
      encoding: 'utf8',
    });
    const lines = run.stdout.split('\n');
    expect(lines.filter((line) => line !== '' && !line.endsWith(': equal'))).toEqual([
      expect.stringMatching(/^\d+ equal, 0 different$/),
    ]);
  }, 600_000);
}
