import { collate, type Example } from '../../src/training/collate.js';

const call = (examples: unknown, options = {}) => collate('here', examples as Example[], options);

test('numbers, sequences and arrays with a shape', () => {
  const image = (x: number) => ({
    values: Float32Array.of(x, 0.5),
    shape: [1, 2],
    dtype: 'float32' as const,
  });
  const batch = call(
    [
      { inputs: { age: 3, tokenIds: [5, 6], image: image(1) }, labels: 1 },
      { inputs: { age: 4, tokenIds: [7, 8, 9], image: image(2) }, labels: 0 },
    ],
    { masks: { paddingMask: 'tokenIds' }, padding: { tokenIds: 2 } },
  );
  expect(batch).toEqual({
    inputs: {
      age: { values: Int32Array.of(3, 4), shape: [2], dtype: 'int32' },
      tokenIds: { values: Int32Array.of(5, 6, 2, 7, 8, 9), shape: [2, 3], dtype: 'int32' },
      image: { values: Float32Array.of(1, 0.5, 2, 0.5), shape: [2, 1, 2], dtype: 'float32' },
      paddingMask: { values: Uint8Array.of(1, 1, 0, 1, 1, 1), shape: [2, 3], dtype: 'bool' },
    },
    labels: { values: Int32Array.of(1, 0), shape: [2], dtype: 'int32' },
  });
});

test('sequences of labels are filled up with the ignored one, to a given length where wanted', () => {
  const batch = call(
    [
      { inputs: { x: [0.5] }, labels: [1, 2] },
      { inputs: { x: [] }, labels: [3] },
    ],
    { ignoreIndex: -1, padTo: { labels: 3 }, dtypes: { x: 'float32' } },
  );
  expect(batch.labels).toEqual({
    values: Int32Array.of(1, 2, -1, 3, -1, -1),
    shape: [2, 3],
    dtype: 'int32',
  });
  expect(batch.inputs.x).toEqual({
    values: Float32Array.of(0.5, 0),
    shape: [2, 1],
    dtype: 'float32',
  });
});

test.each([
  [[7], {}, 'here: an example must be {inputs, labels}, got 7.'],
  [[{ inputs: { x: 1 } }], {}, 'here: an example must be {inputs, labels}'],
  [
    [
      { inputs: { x: 1 }, labels: 0 },
      { inputs: {}, labels: 0 },
    ],
    {},
    "here: every example must have 'x' as a number, an array of numbers or {values, shape, dtype}, got undefined.",
  ],
  [
    [
      { inputs: { x: 1 }, labels: 0 },
      { inputs: { x: [1] }, labels: 0 },
    ],
    {},
    "here: 'x' must have the same form in all examples of a batch, got a number and a sequence.",
  ],
  [
    [{ inputs: { x: 0.5 }, labels: 0 }],
    {},
    "here: 'x' must hold whole numbers, got 0.5. For fractions give dtypes: {x: 'float32'}.",
  ],
  [
    [{ inputs: { x: [1, 2, 3] }, labels: 0 }],
    { padTo: { x: 2 } },
    "here: 'x' must have at most padTo.x=2 entries, got 3.",
  ],
  [
    [{ inputs: { x: [1], y: 2 }, labels: 0 }],
    { masks: { m: 'y' } },
    "here: masks must name sequences among the inputs x, y, got m='y'.",
  ],
])('bad examples are refused: %j %j', (examples, options, message) => {
  expect(() => call(examples, options)).toThrow(message);
});
