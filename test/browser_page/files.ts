/** Models in files: out, in again, and bad ones. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import type { Download, Page } from 'playwright-core';
import { layers, pretrained, tokenizers } from '../../src/index.js';
import { check, waitForText, type PageTest } from './harness.js';
import { generate, train, waitForBackend } from './steps.js';

const GREEDY = { prompt: 'Al', count: '1', temperature: '0' };

/** The tests. */
export const tests: PageTest[] = [
  {
    name: 'saves a model as files, and loads it again after it was deleted',
    async body(open) {
      const { page } = await open({ view: 'train' });
      await train(page, 20);
      const before = await generate(page, GREEDY);
      const downloads: Download[] = [];
      page.on('download', (download) => downloads.push(download));
      await page.click('#model-export');
      await waitUntil(() => downloads.length === 2);
      const files: Record<string, Buffer> = {};
      for (const download of downloads)
        files[download.suggestedFilename()] = readFileSync(await download.path());
      check(Object.keys(files).sort().join() === 'model.json,weights.bin', () => 'names of files');

      page.on('dialog', (dialog) => void dialog.accept());
      await page.click('#model-forget');
      await waitForText(page, '#model-description', /^No model yet/);
      await page.reload();
      await waitForText(page, '#model-description', /^No model yet/);
      await page.setInputFiles(
        '#model-import-files',
        Object.entries(files).map(([name, buffer]) => ({ name, mimeType: '', buffer })),
      );
      await waitForText(page, '#model-status', /^The model was loaded/);
      const after = await generate(page, GREEDY);
      check(after.join() === before.join(), () => `before: ${before}, after: ${after}`);
      await page.reload();
      await waitForText(page, '#model-description', /103,680 weights/);
    },
  },
  {
    name: 'refuses bad files with a clear message, and loses nothing',
    async body(open) {
      const { page, screenshot } = await open({ view: 'train' });
      await train(page, 20);
      const before = await generate(page, GREEDY);
      await page.click('#tab-train'); // files may be dropped on any view

      await drop(page, { 'holiday.jpg': 'no picture' });
      await waitForText(page, '#model-status', /nothing has changed\. .*holiday\.jpg.*model\.json/);
      check(await page.isVisible('#model-status'), () => 'the message must be seen.');
      await screenshot('bad_file');
      await drop(page, { 'model.json': '{ "half": ' });
      await waitForText(page, '#model-status', /nothing has changed\. .*modelTopology/);
      await drop(page, { 'model.json': '{"modelTopology": {}, "weightsManifest": [{"paths": ["weights.bin"], "weights": []}]}' }); // prettier-ignore
      await waitForText(page, '#model-status', /nothing has changed\. .*weights\.bin/);

      const after = await generate(page, GREEDY);
      check(after.join() === before.join(), () => `before: ${before}, after: ${after}`);
      await page.reload();
      const reloaded = await generate(page, GREEDY);
      check(reloaded.join() === before.join(), () => `after the reload: ${reloaded}`);
    },
  },
  {
    name: 'loads a .keras file with its tokenizer',
    async body(open) {
      const { page } = await open({ view: 'generate' });
      await waitForBackend(page);
      const tokenizer = tokenizers.characters('abcdefg');
      const keras = {
        name: 'letters.keras',
        mimeType: '',
        buffer: await kerasFile(tokenizer.size),
      };
      await page.setInputFiles('#model-import-files', keras);
      await waitForText(page, '#model-status', /letters\.keras holds no tokenizer/);
      await page.setInputFiles('#model-import-files', [
        keras,
        ...[{ name: 'tokenizer.json', mimeType: '', buffer: json(tokenizer.toJSON()) }],
      ]);
      await waitForText(page, '#model-description', /letters\.keras.* a vocabulary of 7 /);
      const written = await generate(page, { prompt: 'ab', count: '1', length: '5' });
      check(/^ab[a-g]{5}$/.test(written[0]), () => written[0]);
    },
  },
];

/** A language model that was never trained, as Keras would save it. */
async function kerasFile(vocabularySize: number): Promise<Buffer> {
  const ids = tf.input({ shape: [null], dtype: 'int32', name: 'tokenIds' });
  const size = { vocabularySize, sequenceLength: 16, embeddingDim: 8 };
  const embedded = layers.tokenAndPositionEmbedding(size).apply(ids);
  const decoded = layers.transformerDecoder({ intermediateDim: 16, numHeads: 2 }).apply(embedded);
  const logits = tf.layers.dense({ units: vocabularySize }).apply(decoded);
  const model = tf.model({ inputs: ids, outputs: logits as tf.SymbolicTensor });
  return Buffer.from(await pretrained.saveKeras(model));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Drops files somewhere on the page. */
async function drop(page: Page, files: Record<string, string>): Promise<void> {
  await page.evaluate((files) => {
    const dataTransfer = new DataTransfer();
    for (const [name, text] of Object.entries(files))
      dataTransfer.items.add(new File([text], name));
    document.body.dispatchEvent(
      new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }),
    );
  }, files);
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 50)); // prettier-ignore
  check(condition(), () => 'it took longer than 30 s.');
}
