/** The example of the text as users run it, on a text of their own, with a few steps. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExample } from '../support/run_example.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'text-'));
  file = join(folder, 'a text.txt');
  // 211 lines of 12 characters: 2,532, of which the last 127 are for validation: one whole row of 64.
  writeFileSync(file, Array.from({ length: 211 }, (_, i) => `The cat ${i + 100}\n`).join(''));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('learns from a file, measures itself against counting, and writes', async () => {
  const args = ['--file', file, '--steps', '12', '--output', folder];
  const { code, stdout, stderr } = await runExample('text', args);
  expect(stderr).toContain('12/12 ████████████████████ 100 %');
  expect(code).toBe(0);
  expect(stdout).toContain(
    '2,405 characters to learn from, the last 127 to measure on; 18 different ones.',
  );
  expect(stdout).toMatch(/for each of 64 characters:\n {2}counting pairs/);
  expect(stdout).toMatch(/this model +\d\.\d{3}\n {2}better by +-?\d\.\d{3}\n/);
  // 400 characters after the prompt, on beyond the 64 that a row has.
  expect(/weights\.bin\n\n(The [^]{400})\n\n\d+ s on wasm\.\n$/.exec(stdout)).not.toBeNull();
}, 90_000);

test('the steps that --minutes came to are in the command to resume with', async () => {
  const args = ['--file', file, '--minutes', '0.05', '--output', folder];
  const { code, stdout } = await runExample('text', args, ' left\n');
  expect(code).toBe(0);
  const [, steps] = /Training: (\d+) steps/.exec(stdout)!;
  expect(stdout).toContain(
    `npm run example:text -- --file '${file}' --output ${folder} --steps ${steps} --resume\n`,
  );
}, 90_000);

test('a text that is too short is a clear error', async () => {
  writeFileSync(join(folder, 'short.txt'), 'short');
  const { code, stderr } = await runExample('text', ['--file', join(folder, 'short.txt')]);
  expect(stderr).toContain('the text must have at least sequenceLength + 1 tokens, got 5 tokens');
  expect(code).toBe(1);
}, 60_000);
