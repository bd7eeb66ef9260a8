/** Splitting data into a part to learn from and a part to measure on. */
import { assert, assertKnownOptions, assertNumber } from '../util/errors.js';
import { philox } from '../util/random.js';

/** Options of `splitDocuments`. */
export interface SplitOptions {
  /** Part that goes to validation, above 0 and below 1; 0.1. */
  validation?: number;
  /** Integer from which the choice follows; 0. */
  seed?: number;
}

/**
 * Splits documents at random. Equal documents are first reduced to one, so that none is learned from and measured on.
 *
 * @param documents Strings, or arrays of ids.
 * @param options `validation` (0.1), `seed` (0).
 * @returns `train` and `validation`, each with at least one document, both in the order in which they came.
 */
export function splitDocuments<D extends string | readonly number[]>(
  documents: readonly D[],
  options: SplitOptions = {},
): { train: D[]; validation: D[] } {
  const part = checkPart('splitDocuments', options);
  const distinct = [...new Map(documents.map((document) => [String(document), document])).values()];
  assert(
    distinct.length >= 2,
    () => `splitDocuments: there must be at least 2 different documents, got ${distinct.length}.`,
  );
  const words = philox(options.seed ?? 0, 0, distinct.length);
  const order = distinct.map((_, i) => i).sort((a, b) => words[a] - words[b] || a - b);
  const count = Math.min(distinct.length - 1, Math.max(1, Math.round(part * distinct.length)));
  const chosen = new Set(order.slice(0, count));
  return {
    train: distinct.filter((_, i) => !chosen.has(i)),
    validation: distinct.filter((_, i) => chosen.has(i)),
  };
}

/**
 * Splits one text: its end goes to validation. Neighbouring pieces of a text resemble each other, so pieces are not
 * drawn at random.
 *
 * @param text A text, or ids in one array.
 * @param options `validation` (0.1).
 * @returns `train` and `validation`.
 */
export function splitText<S extends string | number[]>(
  text: S,
  options: Pick<SplitOptions, 'validation'> = {},
): { train: S; validation: S } {
  let cut = Math.round(text.length * (1 - checkPart('splitText', options)));
  // A character outside the basic plane is two units of a string; it stays whole.
  if (typeof text === 'string' && /[\uDC00-\uDFFF]/.test(text.charAt(cut))) cut++;
  return { train: text.slice(0, cut) as S, validation: text.slice(cut) as S };
}

function checkPart(where: string, options: SplitOptions): number {
  assertKnownOptions(
    where,
    options,
    where === 'splitText' ? ['validation'] : ['validation', 'seed'],
  );
  const { validation = 0.1 } = options;
  assertNumber(where, 'validation', validation, 0, 1);
  assert(
    validation > 0 && validation < 1,
    () => `${where}: validation must be above 0 and below 1, got validation=${validation}.`,
  );
  return validation;
}
