import {
  decaysByDefault,
  plainWeightName,
  stableWeightNames,
} from '../../src/training/weight_names.js';

test('names are the same for every copy of a model', () => {
  expect(plainWeightName('block_0/query/kernel_12')).toBe('block_0/query/kernel');
  expect(plainWeightName('block_0/query/kernel')).toBe('block_0/query/kernel');
  expect(stableWeightNames(['a/kernel_3', 'a/kernel_4', 'b/bias'])).toEqual([
    'a/kernel',
    'a/kernel#2',
    'b/bias',
  ]);
});

test('kernels and embeddings decay, whatever layer they are in', () => {
  for (const name of [
    'kernel',
    'x/kernel_1',
    'x/embeddings',
    'x/reverse_embeddings',
    'x/attention_output_kernel',
  ]) {
    expect(decaysByDefault(name)).toBe(true);
  }
  for (const name of [
    'x/bias',
    'kernel/bias',
    'x/gamma',
    'x/scale',
    'x/kernels',
    'x/subkernel',
    'embeddings/beta',
  ]) {
    expect(decaysByDefault(name)).toBe(false);
  }
});
