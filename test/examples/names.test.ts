/** The example of the names as users run it, in a process of its own, with a few steps. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runExample, type Ended } from '../support/run_example.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'names-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string[], interruptAt?: string): Promise<Ended> =>
  runExample('names', args, interruptAt);

/** What a run wrote after training: losses, names and attention, without the time and the folder. */
const results = ({ stdout }: Ended): string[] =>
  stdout
    .slice(stdout.indexOf('Is that any good?'))
    .split('\n')
    .filter((line) => !line.includes(basename(folder)) && !/^\d+ s on/.test(line));

const STEPS = ['--steps', '30'];

test('trains, measures, saves, loads and writes; interrupted and resumed it comes to the same', async () => {
  const whole = await run([...STEPS, '--output', join(folder, 'whole')]);
  expect(whole.stderr).toContain('30/30 ████████████████████ 100 %');
  expect(whole.code).toBe(0);
  expect(whole.stdout).toContain('Backend: wasm runs.');
  expect(whole.stdout).toContain('7580 to learn from, 842 to measure on, all different.');
  // The shortest name of a batch under both masks: the last row is padding, and sees what is not.
  expect(whole.stdout).toMatch(/_ ● [● ]*· .* {4}_ ●[ ●]+ {4}_ ● [● ]*·/);
  expect(whole.stdout).toMatch(/step {3}30 {3}validation \d\.\d{3} {3}[A-Za-z]/);
  expect(whole.stdout).toMatch(/counting pairs of characters \(add 0\.05\) {3}2\.364/);
  expect(whole.stdout).toContain('a run of all 500 steps does.');
  expect(whole.stdout).toMatch(
    /What head \d of block_\d\/self_attention looks at while it reads [A-Z]/,
  );
  expect(readdirSync(join(folder, 'whole')).sort()).toEqual([
    'checkpoints',
    'model.json',
    'weights.bin',
  ]);
  expect(whole.stdout).not.toContain('\u001b');

  const output = join(folder, 'parts');
  const first = await run([...STEPS, '--output', output], ' 6/30 ');
  expect(first.code).toBe(0);
  const stopped = /Stopped after step (\d+) of 30, and saved\. Go on with:\n {2}(.*)\n/.exec(
    first.stdout,
  )!;
  expect(Number(stopped[1])).toBeGreaterThanOrEqual(6);
  expect(Number(stopped[1])).toBeLessThan(30);
  expect(stopped[2]).toBe(`npm start -- --steps 30 --output ${output} --resume`);
  expect(existsSync(join(output, 'model.json'))).toBe(false);

  const second = await run([...STEPS, '--output', output, '--resume']);
  expect(second.code).toBe(0);
  expect(second.stderr).not.toContain(' 6/30 ');
  expect(results(second)).toEqual(results(whole));
}, 180_000);

test.each([
  [
    ['--resume', '--output', join(tmpdir(), 'there-is-no-such-run')],
    "the storage must hold a checkpoint for 'latest', got none",
  ],
  [['--steps', 'many'], "--steps must be a whole number, at least 1, got 'many'."],
  [['--backend', 'abacus'], "backends.use: unknown backend 'abacus'"],
  [['--stops', '3'], "Unknown option '--stops'"],
])(
  '%s ends with one clear line and exit code 1',
  async (args, message) => {
    const { code, stderr } = await run(args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  },
  60_000,
);

test('--help', async () => {
  const { code, stdout } = await run(['--help']);
  expect(stdout).toContain('npm start -- [--backend wasm|tensorflow|cpu|auto]');
  expect(code).toBe(0);
}, 60_000);
