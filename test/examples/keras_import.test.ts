/** The example of the Keras model as users run it, in a process of its own, with a few steps. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode, splitNames } from '../../examples/keras-import/names.js';
import { runExample } from '../support/run_example.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'keras-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('looks into the file, predicts as Python did, trains, and saves', async () => {
  const output = join(folder, 'out');
  const { code, stdout } = await runExample('keras-import', ['--steps', '4', '--output', output]);
  expect(stdout).toContain('Keras 3.15.1, 32 layers and operators, 18,497 parameters');
  expect(stdout).toMatch(/attention_0 {8}MultiHeadAttention {4}4224/);
  // What train.py prints: 80.0% right, Isabella 0.9932, Frederick 0.0594, Robin 0.3314.
  expect(stdout).toContain('Right on 80.0 % of 801 names it never saw.');
  expect(stdout).toMatch(
    /Isabella {3}a woman, 99\.3 %\n {2}Frederick {2}a man, 94\.1 %\n {2}Robin {6}a man, 66\.9 %/,
  );
  expect(stdout).toMatch(/step {3}4 {3}loss \d\.\d{3}/);
  expect(stdout).toContain('loaded again it says the same');
  expect(readdirSync(output)).toEqual(['names.keras']);
  expect(code).toBe(0);
}, 180_000);

test('names are cut, filled up, and split as in Python', () => {
  expect(encode('Zoë-Ann')).toEqual([26, 15, 1, 14, 14, ...Array<number>(10).fill(0)]);
  expect(encode('Maximiliana Victoria')).toHaveLength(15);
  const { fresh, held } = splitNames();
  expect([fresh.length, held.length]).toEqual([2401, 801]);
});
