import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { characters } from '../../src/tokenizers/characters.js';
import { toTensors, type Batch } from '../../src/training/dataset.js';
import { textDataset } from '../../src/training/text_dataset.js';
import { useBackend } from '../support/backends.js';
import { expectIdentical } from '../support/expect_close.js';

beforeAll(() => useBackend('cpu'));

const rows = ({ values, shape }: { values: ArrayLike<number>; shape: number[] }): number[][] =>
  Array.from({ length: shape[0] }, (_, b) =>
    Array.from(values).slice(b * shape[1], (b + 1) * shape[1]),
  );
const inputRows = (batch: Batch): number[][] => rows(batch.inputs.tokenIds);

describe('one text', () => {
  test('rows adjoin, labels are the inputs one further on', () => {
    const dataset = textDataset([0, 1, 2, 3, 4, 5, 6, 7], {
      sequenceLength: 3,
      batchSize: 2,
      shuffle: false,
    });
    const batches = [...dataset.batches()];
    expect(batches).toHaveLength(dataset.batchesPerEpoch);
    expect(batches.map(inputRows)).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ]);
    expect(rows(batches[0].labels)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(Object.keys(batches[0].inputs)).toEqual(['tokenIds']);
  });

  test('rows overlap where stride is smaller', () => {
    const dataset = textDataset('abcde', {
      tokenizer: characters('abcde'),
      sequenceLength: 2,
      stride: 1,
      batchSize: 5,
      shuffle: false,
    });
    expect([...dataset.batches()].flatMap(inputRows)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  test('every epoch has the same rows on every call, in any order, and cuts elsewhere than the others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        (extra, sequenceLength, stride, batchSize, seed) => {
          const ids = Array.from({ length: sequenceLength + extra }, (_, i) => i);
          const dataset = textDataset(ids, { sequenceLength, stride, batchSize, seed });
          for (const epoch of [0, 1, 7]) {
            const batches = [...dataset.batches(epoch)];
            expect(batches).toHaveLength(dataset.batchesPerEpoch);
            expect([...dataset.batches(epoch)]).toEqual(batches);
            expect([...dataset.batches(epoch, 1)]).toEqual(batches.slice(1));
            const starts = batches
              .flatMap(inputRows)
              .map(([first]) => first)
              .sort((a, b) => a - b);
            expect(starts).toHaveLength(dataset.rowsPerEpoch);
            starts.slice(1).forEach((start, i) => expect(start - starts[i]).toBe(stride));
            expect(starts.at(-1)! + sequenceLength).toBeLessThan(ids.length);
          }
        },
      ),
      { numRuns: 50 },
    );
    const order = (seed: number, epoch: number): string =>
      JSON.stringify(
        [
          ...textDataset(
            Array.from({ length: 97 }, (_, i) => i),
            { sequenceLength: 5, seed },
          ).batches(epoch),
        ].map(inputRows),
      );
    expect(order(1, 0)).not.toBe(order(1, 1));
    expect(order(1, 0)).not.toBe(order(2, 0));
  });

  test('over many epochs every place of the text is the start of a row', () => {
    const dataset = textDataset(
      Array.from({ length: 23 }, (_, i) => i),
      { sequenceLength: 4 },
    );
    const starts = new Set<number>();
    for (let epoch = 0; epoch < 200; epoch++) {
      for (const batch of dataset.batches(epoch))
        inputRows(batch).forEach(([first]) => starts.add(first));
    }
    expect([...starts].sort((a, b) => a - b)).toEqual(Array.from({ length: 19 }, (_, i) => i));
  });
});

describe('documents', () => {
  const tokenizer = characters('abcdef', { special: ['<pad>', '<start>', '<end>'] }); // a = 3
  const documents = ['abc', 'f', 'de'];
  const options = {
    tokenizer,
    startToken: '<start>',
    endToken: '<end>',
    padToken: '<pad>',
    shuffle: false,
    batchSize: 2,
  };

  test('one row each, between start and end, filled up to the longest of the batch', () => {
    const [first, second] = [...textDataset(documents, options).batches()];
    expect(inputRows(first)).toEqual([
      [1, 3, 4, 5],
      [1, 8, 0, 0],
    ]);
    expect(rows(first.labels)).toEqual([
      [3, 4, 5, 2],
      [8, 2, -100, -100],
    ]);
    expect(rows(first.inputs.paddingMask)).toEqual([
      [1, 1, 1, 1],
      [1, 1, 0, 0],
    ]);
    expect(inputRows(second)).toEqual([[1, 6, 7]]);
  });

  test('or up to sequenceLength, with another ignored label, and only the inputs asked for', () => {
    const [batch] = textDataset(documents, {
      ...options,
      padTo: 'sequenceLength',
      sequenceLength: 5,
      ignoreIndex: -1,
      inputs: ['tokenIds'],
    }).batches();
    expect(batch.labels.shape).toEqual([2, 5]);
    expect(rows(batch.labels)[1]).toEqual([8, 2, -1, -1, -1]);
    expect(Object.keys(batch.inputs)).toEqual(['tokenIds']);
  });

  test('long ones are an error, cut off, or continued in the next row', () => {
    const long = { ...options, sequenceLength: 2, batchSize: 9 };
    expect(() => textDataset(documents, long)).toThrow(
      'textDataset: documents[0] must fit into sequenceLength=2, got 4 positions.',
    );
    const cut = (longDocuments: 'truncate' | 'split'): number[][] =>
      [...textDataset(documents, { ...long, longDocuments }).batches()].flatMap(inputRows);
    expect(cut('truncate')).toEqual([
      [1, 3],
      [1, 8],
      [1, 6],
    ]);
    expect(cut('split')).toEqual([
      [1, 3],
      [4, 5],
      [1, 8],
      [1, 6],
      [7, 0],
    ]);
  });

  test('shuffled, an epoch has every document once', () => {
    const many = Array.from({ length: 31 }, (_, i) => [i, i + 1]);
    const dataset = textDataset(many, { batchSize: 4, seed: 5 });
    const seen = (epoch: number): number[] =>
      [...dataset.batches(epoch)].flatMap(inputRows).map(([x]) => x);
    expect(seen(0)).not.toEqual(seen(1));
    expect(seen(3).sort((a, b) => a - b)).toEqual(many.map(([x]) => x));
  });

  test('becomes tensors, also for fitDataset', async () => {
    const dataset = textDataset(documents, options);
    const [batch] = dataset.batches();
    const { inputs, labels } = toTensors(batch);
    expect([inputs.tokenIds.dtype, inputs.paddingMask.dtype, labels.dtype]).toEqual([
      'int32',
      'bool',
      'int32',
    ]);
    expectIdentical(labels, [
      [3, 4, 5, 2],
      [8, 2, -100, -100],
    ]);
    const iterator = await dataset.iterator();
    const { value } = await iterator.next();
    expectIdentical(value.ys, labels);
    tf.dispose([inputs, labels, value]);
    tf.dispose((await iterator.next()).value);
    expect(await iterator.next()).toEqual({ value: null, done: true });
    expect(dataset.size).toBe(2);
  });
});

describe('packed documents', () => {
  const documents = [
    [1, 2, 3],
    [4, 5],
    [6, 7, 8, 9, 10],
    [3, 1],
  ];

  test('lie behind each other, with numbers and positions of their own, and no label across a border', () => {
    const dataset = textDataset(documents, {
      pack: true,
      sequenceLength: 5,
      padTo: 'sequenceLength',
      shuffle: false,
    });
    const [batch] = dataset.batches();
    expect(inputRows(batch)).toEqual([
      [6, 7, 8, 9, 4],
      [1, 2, 3, 0, 0],
    ]);
    expect(rows(batch.labels)).toEqual([
      [7, 8, 9, 10, 5],
      [2, 3, 1, -100, -100],
    ]);
    expect(rows(batch.inputs.segmentIds)).toEqual([
      [1, 1, 1, 1, 2],
      [1, 1, 2, 0, 0],
    ]);
    expect(rows(batch.inputs.positions)).toEqual([
      [0, 1, 2, 3, 0],
      [0, 1, 0, 0, 0],
    ]);
    expect(rows(batch.inputs.paddingMask)).toEqual([
      [1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0],
    ]);
    expect(dataset.requiredInputs).toEqual(['segmentIds']);
    expect([dataset.rowsPerEpoch, dataset.tokens]).toEqual([2, 12]);
  });

  test('bad options are refused', () => {
    const make = (source: unknown, options: object) => () => textDataset(source as string, options);
    expect(make(documents, { pack: true })).toThrow(
      'textDataset: pack needs the option sequenceLength, the room in a row.',
    );
    expect(make([1, 2, 3], { pack: true, sequenceLength: 2 })).toThrow('pack is for documents');
    expect(make(documents, { inputs: ['segmentIds'] })).toThrow(
      "inputs must be of tokenIds, paddingMask for this source, got 'segmentIds'",
    );
    expect(make(documents, { pack: true, sequenceLength: 3 })).toThrow(
      'documents[2] must fit into sequenceLength=3, got 4 positions.',
    );
  });
});

test('documents of like length come in one batch', () => {
  const many = Array.from({ length: 60 }, (_, i) => Array.from({ length: 2 + (i % 6) }, () => i));
  const dataset = textDataset(many, { batchSize: 5, bucketByLength: true });
  const filled = [...dataset.batches()].map(({ labels }) =>
    Array.from(labels.values).filter((label) => label === -100),
  );
  expect(filled.flat()).toHaveLength(0); // ten of each length
  const plain = textDataset(many, { batchSize: 5 });
  expect(plain.fingerprint).not.toBe(dataset.fingerprint);
  const first = [...dataset.batches()].map(({ labels }) => labels.shape[1]);
  expect(first).not.toEqual([...first].sort());
});

test('bad input is refused with the place', () => {
  const tokenizer = characters('ab');
  const make =
    (source: unknown, options: object = {}) =>
    () =>
      textDataset(source as string, options);
  expect(make('', { tokenizer })).toThrow('textDataset: the source must not be empty');
  expect(make([])).toThrow('textDataset: the source must not be empty');
  expect(make('ab', { tokenizer })).toThrow(
    'textDataset: one text needs the option sequenceLength.',
  );
  expect(make('ab', { tokenizer, sequenceLength: 2 })).toThrow(
    'textDataset: the text must have at least sequenceLength + 1 tokens, got 2 tokens and sequenceLength=2.',
  );
  expect(make('ab', { sequenceLength: 1 })).toThrow(
    'textDataset: strings need the option tokenizer.',
  );
  expect(
    make(
      [
        [0, 1],
        [1, 7],
      ],
      { vocabularySize: 7 },
    ),
  ).toThrow('textDataset: documents[1]: token ids must be integers between 0 and 6, got ids[1]=7.');
  expect(make([0, 1.5, 2], { sequenceLength: 1 })).toThrow('got ids[1]=1.5');
  expect(make([[0, 1], [3]])).toThrow(
    'textDataset: documents[1] must have at least 2 tokens, got 1.',
  );
  expect(make([[0, 1]], { endToken: '<end>' })).toThrow(
    "endToken='<end>' needs the option tokenizer",
  );
  expect(make([[0, 1]], { endToken: 5, vocabularySize: 5 })).toThrow(
    'endToken must be an integer between 0 and 4',
  );
  expect(make([[0, 1]], { stride: 2 })).toThrow('stride is for one text');
  expect(make([0, 1], { sequenceLength: 1, endToken: 0 })).toThrow('endToken is for documents');
  expect(make([0, 1], { sequenceLength: 1, inputs: ['paddingMask'] })).toThrow(
    'inputs must be of tokenIds',
  );
  expect(make([[0, 1]], { padTo: 'sequenceLength' })).toThrow('needs the option sequenceLength');
  expect(make([0, 1], { batchsize: 1 })).toThrow("Did you mean 'batchSize'?");
  expect(make(3)).toThrow('source must be a text, ids, or an array of either, got 3');
});
