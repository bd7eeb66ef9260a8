/** The example of the mails as users run it, in a process of its own, with a few steps. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExample } from '../support/run_example.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'classify-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('trains, measures, saves, loads and tells spam from mail', async () => {
  const output = join(folder, 'out');
  const { code, stdout, stderr } = await runExample('classify', [
    '--steps',
    '4',
    '--output',
    output,
  ]);
  expect(stderr).toContain('4/4 ████████████████████ 100 %');
  expect(stderr).toContain('examples/s');
  expect(stdout).toContain('4752 to learn from (1467 of them spam), 1188 to measure on (362)');
  expect(stdout).toMatch(/step {4}4 {3}loss \d\.\d{3} {3}\d+\.\d % right/);
  expect(stdout).toMatch(/F1 {10}\d\.\d{3}/);
  expect(stdout).toMatch(/F1 must be at least 0\.95, got .*; a run of all 400 steps reaches it\./);
  expect(readdirSync(output).sort()).toEqual(['checkpoints', 'model.json', 'weights.bin']);
  expect(stdout).not.toContain('\u001b');
  expect(code).toBe(0);
}, 180_000);

test('Ctrl-C saves, and says how to go on', async () => {
  const output = join(folder, 'cut');
  const args = ['--steps', '60', '--output', output];
  const { code, stdout } = await runExample('classify', args, '10/60');
  expect(code).toBe(0);
  expect(stdout).toContain(`npm run example:classify -- --steps 60 --output ${output} --resume`);
  expect(readdirSync(join(output, 'checkpoints'))).toHaveLength(1);
}, 180_000);

test('--help', async () => {
  const { code, stdout } = await runExample('classify', ['--help']);
  expect(stdout).toContain('npm run example:classify -- [--backend wasm|tensorflow|cpu|auto]');
  expect(code).toBe(0);
}, 60_000);
