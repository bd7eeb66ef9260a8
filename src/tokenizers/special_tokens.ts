/** Special tokens: names for structure, such as `<pad>` and `<end>`, beside the text itself. */
import { assert, describe } from '../util/errors.js';

/**
 * Checks a list of special tokens.
 *
 * @param where Name of the caller, for the error.
 * @param special What was given.
 * @returns A copy of the list.
 * @throws Error when it is no list of distinct, non-empty strings.
 */
export function checkSpecial(where: string, special: unknown): string[] {
  assert(
    Array.isArray(special) && special.every((token) => typeof token === 'string' && token !== ''),
    () =>
      `${where}: special must be an array of non-empty strings, got special=${describe(special)}.`,
  );
  const tokens = special as string[];
  const twice = tokens.find((token, i) => tokens.indexOf(token) !== i);
  assert(
    twice === undefined,
    () => `${where}: special tokens must be distinct, got ${describe(twice)} twice.`,
  );
  return [...tokens];
}

/** A piece of a text: either plain text or one special token. */
export interface Piece {
  /** The text of the piece. */
  text: string;
  /** Index of its first UTF-16 unit in the whole text. */
  start: number;
  /** Whether it is a special token. */
  isSpecial: boolean;
}

/**
 * Cuts a text at the special tokens written out in it. Where several begin at one place, the longest wins.
 *
 * @param text The text.
 * @param special Special tokens.
 * @returns The pieces in order; joined they are the text.
 */
export function splitAtSpecial(text: string, special: readonly string[]): Piece[] {
  if (special.length === 0) return [{ text, start: 0, isSpecial: false }];
  const longestFirst = [...special].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(new RegExp(escaped.join('|'), 'g'))) {
    if (match.index > end)
      pieces.push({ text: text.slice(end, match.index), start: end, isSpecial: false });
    pieces.push({ text: match[0], start: match.index, isSpecial: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), start: end, isSpecial: false });
  return pieces;
}
