import { fitBigram } from '../../examples/shared/bigram.js';

test('two outcomes on paper: after 0 comes 0 once and 1 twice', () => {
  const bigram = fitBigram(
    [
      [0, 1],
      [0, 1],
      [0, 0],
    ],
    2,
  );
  // Left out, each pair has (1+k)/(2+2k) = 1/2, 1/2 and k/(2+2k): the largest k makes that most probable.
  expect(bigram.k).toBe(5);
  // (2+5)/(3+10) and (1+5)/(3+10)
  const { loss, tokens } = bigram.evaluate([
    [0, 1],
    [0, 0],
  ]);
  expect(tokens).toBe(2);
  expect(loss).toBeCloseTo(-(Math.log(7 / 13) + Math.log(6 / 13)) / 2, 12);
});

test('a pair that is always the same asks for the least smoothing', () => {
  const bigram = fitBigram([[0, 1, 0, 1, 0, 1, 0]], 2);
  // 0→1 and 1→0, three times each; left out, each has (2+k)/(2+2k), most with the least k.
  expect(bigram.k).toBe(0.01);
  expect(bigram.evaluate([[0, 1]]).loss).toBeCloseTo(-Math.log(3.01 / 3.02), 12);
});

test('what was never counted is as likely as anything else, and the probabilities of a row add up to 1', () => {
  const bigram = fitBigram(
    [
      [0, 1],
      [0, 2],
      [2, 1, 0, 1, 2],
    ],
    3,
  );
  const p = (a: number, b: number): number => Math.exp(-bigram.evaluate([[a, b]]).loss);
  expect(p(7, 1)).toBeCloseTo(1 / 3, 12);
  for (const a of [0, 1, 2]) expect(p(a, 0) + p(a, 1) + p(a, 2)).toBeCloseTo(1, 12);
});

test('sequences are not joined: nothing follows the last token of one', () => {
  const bigram = fitBigram(
    [
      [0, 0],
      [1, 1],
    ],
    2,
  );
  expect(bigram.evaluate([[0], [1]]).tokens).toBe(0);
  const k = bigram.k;
  expect(bigram.evaluate([[0, 1]]).loss).toBeCloseTo(-Math.log(k / (1 + 2 * k)), 12);
});
