/** The language of the page. Each view has a table of its own texts beside it. */

/** Languages there are. */
export type Language = 'en' | 'zh';

const KEY = 'tfjs-transformers:language';
const listeners: (() => void)[] = [];
let current: Language = initial();

/** The language of the moment. */
export function language(): Language {
  return current;
}

/**
 * Changes the language; all texts of `element` follow.
 *
 * @param next The language.
 */
export function setLanguage(next: Language): void {
  current = next;
  localStorage.setItem(KEY, next);
  document.documentElement.lang = next === 'zh' ? 'zh-Hans' : 'en';
  for (const listener of listeners) listener();
}

/**
 * Calls a function now and at every change of the language.
 *
 * @param listener The function.
 */
export function onLanguage(listener: () => void): void {
  listeners.push(listener);
  listener();
}

/**
 * Makes the lookup of a view's texts.
 *
 * @param tables The texts in each language.
 * @returns A function that gives those of the moment's language.
 */
export function wordsIn<T>(tables: Record<Language, T>): () => T {
  return () => tables[current];
}

function initial(): Language {
  const chosen = localStorage.getItem(KEY) ?? navigator.language;
  return chosen.startsWith('zh') ? 'zh' : 'en';
}
