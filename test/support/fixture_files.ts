/** Bytes of the files in test/fixtures. The browser has its own such file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Reads a file.
 *
 * @param path Where it is under test/fixtures, for example `attention/cases.json`.
 * @returns Its bytes.
 */
export function readFixtureFile(path: string): Uint8Array {
  return readFileSync(join(__dirname, '..', 'fixtures', path));
}
