/** The example of the words as users run it, in a process of its own, with a few steps. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runExample, type Ended } from '../support/run_example.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'translate-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string[], interruptAt?: string): Promise<Ended> =>
  runExample('translate', ['--steps', '24', ...args], interruptAt);
/** What a run wrote after training, without the time and the folder. */
const results = ({ stdout }: Ended): string[] =>
  stdout
    .slice(stdout.indexOf('Is that any good?'))
    .split('\n')
    .filter((line) => !line.includes(basename(folder)) && !/^\d+ s on/.test(line));

test('trains, measures, speaks and looks; interrupted and resumed it comes to the same', async () => {
  const whole = await run(['--output', join(folder, 'whole')]);
  expect(whole.stderr).toContain('24/24 ████████████████████ 100 %');
  expect(whole.stdout).toContain('107,964 words to learn from, 5,682 to measure on; 39 phonemes.');
  expect(whole.stdout).toMatch(/step {3}24 {3}validation \d\.\d{3} {3}[A-Z]+ [A-Z ]+/);
  expect(whole.stdout).toMatch(
    /Of 1,000 words that it never saw:\n {2}phonemes wrong {3}\d+\.\d %/,
  );
  expect(whole.stdout).toContain('after all 900 steps they are.');
  expect(whole.stdout).toMatch(/Which letters of [A-Z]+ it looks at for each phoneme/);
  expect(whole.stdout).toMatch(/\nend( [░▒▓█·]+)+/);
  expect(readdirSync(join(folder, 'whole')).sort()).toEqual([
    'checkpoints',
    'model.json',
    'weights.bin',
  ]);
  expect(whole.code).toBe(0);

  const output = join(folder, 'parts');
  const first = await run(['--output', output], ' 8/24 ');
  expect(first.code).toBe(0);
  const stopped = /Stopped after step (\d+) of 24, and saved\. Go on with:\n {2}(.*)\n/.exec(
    first.stdout,
  )!;
  expect(Number(stopped[1])).toBeGreaterThanOrEqual(8);
  expect(stopped[2]).toBe(`npm run example:translate -- --steps 24 --output ${output} --resume`);
  expect(existsSync(join(output, 'model.json'))).toBe(false);
  const second = await run(['--output', output, '--resume']);
  expect(second.code).toBe(0);
  expect(results(second)).toEqual(results(whole));
}, 300_000);

test('--help', async () => {
  const { code, stdout } = await run(['--help']);
  expect(stdout).toContain('npm run example:translate -- [--backend wasm|tensorflow|cpu|auto]');
  expect(code).toBe(0);
}, 60_000);
