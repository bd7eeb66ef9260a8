/** Each processor and the order of all against transformers; `removed` means −Infinity, exactly there. */
import * as fc from 'fast-check';
import type { GenerateOptions } from '../../src/generation/index.js';
import { resolveOptions } from '../../src/generation/options.js';
import { logitsProcessors, type ProcessorOptions } from '../../src/generation/logits_processors.js';
import { epsilonCutoff } from '../../src/generation/processors/epsilon_cutoff.js';
import { etaCutoff } from '../../src/generation/processors/eta_cutoff.js';
import { minP } from '../../src/generation/processors/min_p.js';
import { noRepeatNgram } from '../../src/generation/processors/no_repeat_ngram.js';
import { repetitionPenalty } from '../../src/generation/processors/repetition_penalty.js';
import { renormalizeLogits } from '../../src/generation/processors/renormalize_logits.js';
import { sequenceBias } from '../../src/generation/processors/sequence_bias.js';
import { suppressTokens } from '../../src/generation/processors/suppress_tokens.js';
import { temperature } from '../../src/generation/processors/temperature.js';
import { topH } from '../../src/generation/processors/top_h.js';
import { topK } from '../../src/generation/processors/top_k.js';
import { topP } from '../../src/generation/processors/top_p.js';
import { typicalP } from '../../src/generation/processors/typical_p.js';
import type {
  LogitsProcessor,
  Sequence,
} from '../../src/generation/processors/logits_processor.js';
import { normal } from '../../src/util/random.js';
import { readFixtureFile } from '../support/fixture_files.js';
import { camelCaseKeys } from '../support/keras_case.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';

const fixtures = loadFixtures('logits_processors');

const off: ProcessorOptions = {
  sequenceBias: [],
  encoderRepetitionPenalty: 1,
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  encoderNoRepeatNgramSize: 0,
  badWordsIds: [],
  minLength: 0,
  minNewTokens: 0,
  forcedEosTokenIds: [],
  removeInvalidValues: false,
  suppressTokens: [],
  beginSuppressTokens: [],
  logitsProcessors: [],
  eosTokenIds: [],
  doSample: true,
  temperature: 1,
  topP: 1,
  minP: 0,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
  minTokensToKeep: 1,
  renormalizeLogits: false,
};

/** A sequence of ids, all of them prompt unless told otherwise. */
function after(ids: number[], rest: Partial<Sequence> = {}): Sequence {
  const promptLength = rest.promptLength ?? ids.length;
  const sourceIds = ids.slice(0, promptLength);
  return { ids, promptLength, maxLength: Infinity, sourceIds, promptIndex: 0, ...rest };
}

/** Our processor for one of transformers', from its arguments. */
const processors: Record<string, (args: any) => LogitsProcessor> = {
  TemperatureLogitsWarper: (a) => (s) => temperature(s, a.temperature),
  TopKLogitsWarper: (a) => (s) => topK(s, a.top_k, a.min_tokens_to_keep),
  TopPLogitsWarper: (a) => (s) => topP(s, a.top_p, a.min_tokens_to_keep),
  MinPLogitsWarper: (a) => (s) => minP(s, a.min_p, a.min_tokens_to_keep),
  TypicalLogitsWarper: (a) => (s) => typicalP(s, a.mass, a.min_tokens_to_keep),
  EpsilonLogitsWarper: (a) => (s) => epsilonCutoff(s, a.epsilon, a.min_tokens_to_keep),
  EtaLogitsWarper: (a) => (s) => etaCutoff(s, a.epsilon, a.min_tokens_to_keep),
  RepetitionPenaltyLogitsProcessor: (a) => (s, ids) => repetitionPenalty(s, ids, a.penalty),
  NoRepeatNGramLogitsProcessor: (a) => (s, ids) => noRepeatNgram(s, ids, a.ngram_size),
  SuppressTokensLogitsProcessor: (a) => (s) => suppressTokens(s, a.suppress_tokens),
  SequenceBiasLogitsProcessor: (a) => (s, ids) => sequenceBias(s, ids, a.sequence_bias),
  LogitNormalization: () => renormalizeLogits,
  NoBadWordsLogitsProcessor: (a) =>
    only({ badWordsIds: a.bad_words_ids, eosTokenIds: [a.eos_token_id] }),
  MinLengthLogitsProcessor: (a) => only({ minLength: a.min_length, eosTokenIds: [a.eos_token_id] }),
  MinNewTokensLengthLogitsProcessor: (a) => (s, sequence) =>
    only({ minNewTokens: a.min_new_tokens, eosTokenIds: [a.eos_token_id] })(s, {
      ...sequence,
      promptLength: a.prompt_length_to_skip,
    }),
  ForcedEOSTokenLogitsProcessor: (a) => (s, sequence) =>
    only({ forcedEosTokenIds: [a.eos_token_id] })(s, { ...sequence, maxLength: a.max_length }),
  ExponentialDecayLengthPenalty: (a) => (s, sequence) =>
    only({
      exponentialDecayLengthPenalty: a.exponential_decay_length_penalty,
      eosTokenIds: [a.eos_token_id],
    })(s, { ...sequence, promptLength: a.input_ids_seq_length }),
};

/** The only processor that some options ask for. */
function only(options: Partial<ProcessorOptions>): LogitsProcessor {
  const list = logitsProcessors({ ...off, ...options });
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
    else expect(Math.abs(got[id] - want)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(want)));
  });
}

const single = fixtures.filter((c) => c.parameters.processor !== undefined);
const combined = fixtures.filter((c) => c.parameters.order !== undefined);

test('cases of all processors are here', () => {
  expect([single.length, combined.length]).toEqual([27, 4]);
  expect(single.filter((c) => !(c.parameters.processor in processors))).toEqual([]);
});

test.each(single)('$name', (c) => {
  const processor = processors[c.parameters.processor](c.parameters.args);
  for (let b = 0; b < c.array('logits').shape[0]; b++) {
    const before = Float32Array.from(rowOf(c, 'logits', b));
    const copy = Float32Array.from(before);
    const ids = rowOf(c, 'input_ids', b);
    expectRow(processor(before, after(ids)), rowOf(c, 'out', b));
    expect(before).toEqual(copy); // pure
  }
});

/** Options from a generation config of transformers. */
function optionsOf(config: Record<string, any>): ProcessorOptions {
  return {
    ...off,
    repetitionPenalty: config.repetition_penalty ?? 1,
    noRepeatNgramSize: config.no_repeat_ngram_size ?? 0,
    badWordsIds: config.bad_words_ids ?? [],
    minLength: config.min_length ?? 0,
    minNewTokens: config.min_new_tokens ?? 0,
    suppressTokens: config.suppress_tokens ?? [],
    eosTokenIds: [config.eos_token_id],
    doSample: config.do_sample,
    temperature: config.temperature ?? 1,
    topK: config.top_k || undefined,
    topP: config.top_p ?? 1,
    minP: config.min_p ?? 0,
    typicalP: config.typical_p ?? 1,
    epsilonCutoff: config.epsilon_cutoff ?? 0,
    etaCutoff: config.eta_cutoff ?? 0,
    renormalizeLogits: config.renormalize_logits ?? false,
  };
}

test.each(combined)('$name: step by step, in the order of transformers', (c) => {
  const list = logitsProcessors(optionsOf(c.parameters.generation_config));
  expect(list).toHaveLength(c.parameters.order.length);
  for (let b = 0; b < 3; b++) {
    let scores = Float32Array.from(rowOf(c, 'logits', b));
    const sequence = after(rowOf(c, 'input_ids', b), { promptLength: c.parameters.prompt_length });
    list.forEach((processor, i) => {
      scores = processor(scores, sequence) as Float32Array<ArrayBuffer>;
      expectRow(scores, rowOf(c, `after/${i}`, b));
    });
    const probabilities = [...renormalizeLogits(scores)].map(Math.exp);
    expectRow(Float32Array.from(probabilities), rowOf(c, 'probabilities', b));
  }
});

interface MoreCase {
  config: Record<string, any>;
  processors: string[];
  prompt_length: number;
  ids: number[][];
  logits: number[][];
  out: (number | null)[][];
}

const more = (
  JSON.parse(new TextDecoder().decode(readFixtureFile('generation/cases.json'))) as {
    processors: MoreCase[];
  }
).processors;

test.each(more)('by the options of generate: $config', (c) => {
  const { max_length, top_k, ...config } = c.config;
  const given = camelCaseKeys(config) as GenerateOptions;
  if (top_k) given.topK = top_k as number;
  const options = resolveOptions(
    'test',
    { eosTokenId: 2, maxLength: (max_length as number | undefined) ?? 20, ...given },
    c.logits[0].length,
  );
  const list = logitsProcessors(options);
  expect(list).toHaveLength(c.processors.length);
  c.logits.forEach((logits, b) => {
    const sequence = after(c.ids[b], {
      promptLength: c.prompt_length,
      maxLength: options.maxLength,
    });
    let got: Float32Array = Float32Array.from(logits);
    for (const processor of list) got = processor(got, sequence);
    expectRow(
      got,
      c.out[b].map((score) => score ?? -Infinity),
    );
  });
});

test('nothing asked, nothing done; the sampling filters only when sampling', () => {
  expect(logitsProcessors(off)).toEqual([]);
  const all = {
    ...{ ...off, temperature: 0.5, topH: 0.9, topK: 3, topP: 0.5, minP: 0.1 },
    ...{ typicalP: 0.9, epsilonCutoff: 0.1, etaCutoff: 0.1 },
  };
  expect(logitsProcessors(all)).toHaveLength(8);
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

  test('typical-p keeps what carries about as much information as is expected', () => {
    // Entropy of (0.5, 0.25, 0.125, 0.125) is 1.75 bits: 0.25 (2 bits) is closest, then the rest (3 and 1 bit).
    const scores = log(0.5, 0.25, 0.125, 0.125);
    expect(kept(typicalP(scores, 0.2))).toEqual([1]);
    expect(kept(typicalP(scores, 0.6))).toEqual([0, 1]);
    expect(kept(typicalP(scores, 0.8))).toEqual([0, 1, 2, 3]);
    expect(kept(typicalP(scores, 0.2, 2))).toEqual([0, 1]);
    expect(typicalP(scores, 1)).toBe(scores);
  });

  test('epsilon and eta cut by probability', () => {
    const scores = log(0.5, 0.3, 0.15, 0.05);
    expect(kept(epsilonCutoff(scores, 0.16))).toEqual([0, 1]);
    expect(kept(epsilonCutoff(scores, 0.9))).toEqual([0]);
    expect(kept(epsilonCutoff(scores, 0.9, 3))).toEqual([0, 1, 2]);
    // Of 8 equal ones: √0.5 / 8 = 0.088 < 1/8, so all stay, though each is below 0.5.
    expect(kept(etaCutoff(new Float32Array(8), 0.5))).toHaveLength(8);
    expect(kept(epsilonCutoff(log(0.8, 0.1, 0.1), 0.5))).toEqual([0]);
  });

  test('top-h keeps the first tokens up to a share of the entropy', () => {
    const scores = log(0.25, 0.25, 0.25, 0.25);
    expect(kept(topH(scores, 0.6))).toEqual([0, 1]);
    expect(kept(topH(scores, 0.01))).toEqual([0]);
    expect(kept(topH(log(0.1, 0.8, 0.1), 1))).toEqual([0, 1, 2]);
  });

  test('a bias counts where its run is completed', () => {
    const biased = (ids: number[]): number[] => [
      ...sequenceBias(new Float32Array(4), { ids }, [
        [[1], 2],
        [[3, 1], 4],
        [[3, 0, 2], -1],
      ]),
    ];
    expect(biased([0])).toEqual([0, 2, 0, 0]);
    expect(biased([0, 3])).toEqual([0, 6, 0, 0]);
    expect(biased([3, 0])).toEqual([0, 2, -1, 0]);
  });

  test('log-softmax sums to one, removed tokens stay removed', () => {
    const got = renormalizeLogits(Float32Array.of(3, -Infinity, 1));
    expect(got[1]).toBe(-Infinity);
    expect(Math.exp(got[0]) + Math.exp(got[2])).toBeCloseTo(1, 6);
    const none = Float32Array.of(-Infinity, -Infinity);
    expect(renormalizeLogits(none)).toBe(none);
  });

  const filters: Record<string, (scores: Float32Array, least: number) => Float32Array> = {
    'top-k': (s, least) => topK(s, 1, least),
    'top-p': (s, least) => topP(s, 0.05, least),
    'min-p': (s, least) => minP(s, 0.99, least),
    typical: (s, least) => typicalP(s, 0.05, least),
    epsilon: (s, least) => epsilonCutoff(s, 0.99, least),
    eta: (s, least) => etaCutoff(s, 0.99, least),
  };
  test.each(Object.entries(filters))(
    '%s keeps at least so many, with their scores, even of few',
    (_, filter) => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 5, maxLength: 40 }),
          fc.integer({ min: 1, max: 5 }),
          (values, least) => {
            const scores = Float32Array.from(values, (value, i) =>
              i % 3 === 2 ? -Infinity : value / 8,
            );
            const filtered = filter(scores, least);
            const ids = kept(filtered);
            expect(ids.length).toBeGreaterThanOrEqual(Math.min(least, kept(scores).length));
            expect(ids.every((id) => filtered[id] === scores[id])).toBe(true);
          },
        ),
        { numRuns: 100 },
      );
    },
  );

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
