/** Each processor and the order of all against transformers; `removed` means −Infinity, exactly there. */
import { logitsProcessors, type ProcessorOptions } from '../../src/generation/logits_processors.js';
import { minP } from '../../src/generation/processors/min_p.js';
import { noRepeatNgram } from '../../src/generation/processors/no_repeat_ngram.js';
import { repetitionPenalty } from '../../src/generation/processors/repetition_penalty.js';
import { suppressTokens } from '../../src/generation/processors/suppress_tokens.js';
import { temperature } from '../../src/generation/processors/temperature.js';
import { topK } from '../../src/generation/processors/top_k.js';
import { topP } from '../../src/generation/processors/top_p.js';
import type { LogitsProcessor } from '../../src/generation/processors/logits_processor.js';
import { normal } from '../../src/util/random.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';

const fixtures = loadFixtures('logits_processors');

const off: ProcessorOptions = {
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  minLength: 0,
  minNewTokens: 0,
  suppressTokens: [],
  eosTokenIds: [],
  doSample: true,
  temperature: 1,
  topP: 1,
  minP: 0,
};

/** Our processor for one of transformers', from its arguments. */
const processors: Record<string, (args: any) => LogitsProcessor> = {
  TemperatureLogitsWarper: (a) => (s) => temperature(s, a.temperature),
  TopKLogitsWarper: (a) => (s) => topK(s, a.top_k, a.min_tokens_to_keep),
  TopPLogitsWarper: (a) => (s) => topP(s, a.top_p, a.min_tokens_to_keep),
  MinPLogitsWarper: (a) => (s) => minP(s, a.min_p),
  RepetitionPenaltyLogitsProcessor: (a) => (s, ids) => repetitionPenalty(s, ids, a.penalty),
  NoRepeatNGramLogitsProcessor: (a) => (s, ids) => noRepeatNgram(s, ids, a.ngram_size),
  SuppressTokensLogitsProcessor: (a) => (s) => suppressTokens(s, a.suppress_tokens),
  MinLengthLogitsProcessor: (a) =>
    only(logitsProcessors({ ...off, minLength: a.min_length, eosTokenIds: [a.eos_token_id] })),
  MinNewTokensLengthLogitsProcessor:
    (a) =>
    (s, { ids }) =>
      only(
        logitsProcessors({ ...off, minNewTokens: a.min_new_tokens, eosTokenIds: [a.eos_token_id] }),
      )(s, {
        ids,
        promptLength: a.prompt_length_to_skip,
      }),
};

function only(list: LogitsProcessor[]): LogitsProcessor {
  expect(list).toHaveLength(1);
  return list[0];
}

/** Row b of a tensor of a case. */
function rowOf(c: FixtureCase, name: string, b: number): number[] {
  const { shape, values } = c.array(name);
  return Array.from(values).slice(b * shape[1], (b + 1) * shape[1]);
}

function expectRow(got: Float32Array, expected: number[]): void {
  expect(got).toHaveLength(expected.length);
  expected.forEach((want, id) => {
    if (want === -Infinity) expect(got[id]).toBe(-Infinity);
    else expect(Math.abs(got[id] - want)).toBeLessThanOrEqual(2e-6 + 2e-6 * Math.abs(want));
  });
}

const single = fixtures.filter((c) => c.parameters.processor in processors);

test('cases of all processors are here', () => {
  expect(single).toHaveLength(18);
});

test.each(single)('$name', (c) => {
  const processor = processors[c.parameters.processor](c.parameters.args);
  for (let b = 0; b < c.array('logits').shape[0]; b++) {
    const before = Float32Array.from(rowOf(c, 'logits', b));
    const copy = Float32Array.from(before);
    const ids = rowOf(c, 'input_ids', b);
    expectRow(processor(before, { ids, promptLength: 0 }), rowOf(c, 'out', b));
    expect(before).toEqual(copy); // pure
  }
});

/** Options from a generation config of transformers, as far as they are ours. */
function optionsOf(config: Record<string, any>): ProcessorOptions {
  return {
    repetitionPenalty: config.repetition_penalty ?? 1,
    noRepeatNgramSize: config.no_repeat_ngram_size ?? 0,
    minLength: config.min_length ?? 0,
    minNewTokens: config.min_new_tokens ?? 0,
    suppressTokens: config.suppress_tokens ?? [],
    eosTokenIds: [config.eos_token_id],
    doSample: config.do_sample,
    temperature: config.temperature ?? 1,
    topK: config.top_k || undefined,
    topP: config.top_p ?? 1,
    minP: config.min_p ?? 0,
  };
}

test.each([
  ['combined_sampling', 4], // the fifth is typical-p
  ['combined_temperature_top_p', 2],
  ['combined_greedy', 2],
])('%s: the first %d in the order of transformers', (name, count) => {
  const c = fixtures.find((one) => one.name === name)!;
  const list = logitsProcessors(optionsOf(c.parameters.generation_config));
  expect(list).toHaveLength(count);
  for (let b = 0; b < 3; b++) {
    let scores = Float32Array.from(rowOf(c, 'logits', b));
    const sequence = { ids: rowOf(c, 'input_ids', b), promptLength: c.parameters.prompt_length };
    list.forEach((processor, i) => {
      scores = processor(scores, sequence) as Float32Array<ArrayBuffer>;
      expectRow(scores, rowOf(c, `after/${i}`, b));
    });
  }
});

test('all of ours, in the order that the list of everything has', () => {
  const c = fixtures.find((one) => one.name === 'combined_all')!;
  const list = logitsProcessors(optionsOf(c.parameters.generation_config));
  const theirs = c.parameters.order.filter((name: string) => name in processors);
  expect(list).toHaveLength(theirs.length);
  const ours = ['RepetitionPenaltyLogitsProcessor', 'NoRepeatNGramLogitsProcessor'];
  expect(theirs.slice(0, 2)).toEqual(ours);
  // Each of ours takes what came before it in their list to what came after it.
  list.forEach((processor, i) => {
    const at = c.parameters.order.indexOf(theirs[i]);
    for (let b = 0; b < 3; b++) {
      const before = Float32Array.from(rowOf(c, at === 0 ? 'logits' : `after/${at - 1}`, b));
      const sequence = { ids: rowOf(c, 'input_ids', b), promptLength: c.parameters.prompt_length };
      expectRow(processor(before, sequence), rowOf(c, `after/${at}`, b));
    }
  });
});

test('nothing asked, nothing done; the sampling filters only when sampling', () => {
  expect(logitsProcessors(off)).toEqual([]);
  const all = { ...off, temperature: 0.5, topK: 3, topP: 0.5, minP: 0.1 };
  expect(logitsProcessors(all)).toHaveLength(4);
  expect(logitsProcessors({ ...all, doSample: false })).toEqual([]);
});

describe('on paper', () => {
  const log = (...p: number[]): Float32Array => Float32Array.from(p, Math.log);
  const kept = (scores: Float32Array): number[] =>
    [...scores.keys()].filter((id) => scores[id] > -Infinity);

  test('top-p keeps the smallest set that reaches p', () => {
    const scores = log(0.1, 0.4, 0.2, 0.3);
    expect(kept(topP(scores, 0.39))).toEqual([1]);
    expect(kept(topP(scores, 0.41))).toEqual([1, 3]);
    expect(kept(topP(scores, 0.71))).toEqual([1, 2, 3]);
    expect(kept(topP(scores, 0.91))).toEqual([0, 1, 2, 3]);
    expect(topP(scores, 1)).toBe(scores);
    expect(kept(topP(scores, 1e-9, 3))).toEqual([1, 2, 3]);
  });

  test('top-p takes the lowest of equal ids, and no more of them than it needs', () => {
    expect(kept(topP(new Float32Array(5), 0.5))).toEqual([0, 1, 2]);
    expect(kept(topP(Float32Array.of(0, 2, 0, -Infinity), 1e-9))).toEqual([1]);
  });

  test('top-k keeps ties with the k-th', () => {
    expect(kept(topK(Float32Array.of(1, 3, 2, 2, 0), 2))).toEqual([1, 2, 3]);
    expect(kept(topK(Float32Array.of(1, 3, 2), 9))).toEqual([0, 1, 2]);
  });

  test('min-p compares with the most likely token', () => {
    expect(kept(minP(log(0.5, 0.3, 0.15, 0.05), 0.29))).toEqual([0, 1, 2]);
    expect(kept(minP(Float32Array.of(1, 1, 0), 1))).toEqual([0, 1]);
  });

  test('a repeated token is penalised once', () => {
    const got = repetitionPenalty(Float32Array.of(2, -2, 3), { ids: [0, 0, 1, 1] }, 2);
    expect([...got]).toEqual([1, -4, 3]);
  });

  test('an n-gram is not completed twice', () => {
    const banned = (ids: number[], size: number): number[] => {
      const left = kept(noRepeatNgram(new Float32Array(6), { ids }, size));
      return [0, 1, 2, 3, 4, 5].filter((id) => !left.includes(id));
    };
    expect(banned([1, 2, 3, 1, 2], 3)).toEqual([3]);
    expect(banned([1, 2, 3, 1, 2], 2)).toEqual([3]);
    expect(banned([1, 1, 1], 2)).toEqual([1]);
    expect(banned([1, 2, 3], 1)).toEqual([1, 2, 3]);
    expect(banned([1, 2], 3)).toEqual([]);
    expect(banned([1], 4)).toEqual([]);
  });

  test('filters keep the order and the values of what they keep', () => {
    const scores = normal(3, 0, 997);
    for (const filtered of [topK(scores, 31), topP(scores, 0.7), minP(scores, 0.2)]) {
      const ids = kept(filtered);
      const worst = Math.min(...ids.map((id) => scores[id]));
      expect(ids.every((id) => filtered[id] === scores[id])).toBe(true);
      expect(ids).toHaveLength([...scores].filter((score) => score >= worst).length);
    }
  });
});
