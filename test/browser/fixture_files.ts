/** Takes the place of test/support/fixture_files.ts in a page: the server of the page has the files. */

/**
 * Reads a file. Suites are defined synchronously, so this waits for the answer.
 *
 * @param path Where it is under test/fixtures, for example `attention/cases.json`.
 * @returns Its bytes.
 */
export function readFixtureFile(path: string): Uint8Array {
  const request = new XMLHttpRequest();
  request.open('GET', `/fixtures/${path}`, false);
  // A synchronous request may not ask for an ArrayBuffer; in this encoding each byte is one character.
  request.overrideMimeType('text/plain; charset=x-user-defined');
  request.send();
  if (request.status !== 200) throw new Error(`test/fixtures/${path}: ${request.statusText}.`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 0xff);
}
