/** What .ci/run prints last, and whether it fails. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(__dirname, '..', '..', '.ci', 'summary.mjs');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'summary-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a report in jest's form: a file of tests, each `title: status`. */
function report(name: string, tests: Record<string, string>, status = 'passed') {
  const assertionResults = Object.entries(tests).map(([fullName, status]) => ({
    fullName,
    status,
  }));
  writeFileSync(
    join(folder, name),
    JSON.stringify({ testResults: [{ status, assertionResults }] }),
  );
}

function summary(failedSteps = 0) {
  const { status, stdout } = spawnSync(process.execPath, [script, folder, String(failedSteps)], {
    encoding: 'utf8',
  });
  const lines = stdout.trimEnd().split('\n');
  return { status, lines: lines.map((line) => line.replace(/ +/g, ' ')) };
}

test('adds up runs by backend, and counts no skipped test', () => {
  report('cpu,wasm.json', {
    'a [cpu] x': 'passed',
    'a [wasm] x': 'passed',
    'a [wasm-kernels] x': 'passed',
    'a [webgl] is pretended': 'passed',
  });
  report('tensorflow.json', { 'a [tensorflow] x': 'passed', 'a [cpu] x': 'pending' });
  report('browser.json', { 'a [webgl-f16] x': 'passed', 'a [wasm-isolated] x': 'passed' });
  report('page.json', { 'a [page] x': 'passed' });
  expect(summary()).toEqual({
    status: 0,
    lines: [
      'webgl-f16 1 passed 0 failed',
      'wasm-isolated 1 passed 0 failed',
      'cpu 1 passed 0 failed',
      'wasm 1 passed 0 failed',
      'wasm-kernels 1 passed 0 failed',
      'no backend named 1 passed 0 failed',
      'page 1 passed 0 failed',
      'tensorflow 1 passed 0 failed',
      '8 passed, 0 failed',
    ],
  });
});

test('fails when a test failed, a file did not start, a step failed, or nothing ran', () => {
  expect(summary()).toEqual({ status: 1, lines: ['0 passed, 0 failed'] });
  report('a.json', { 'a [cpu] x': 'passed' });
  expect(summary().status).toBe(0);
  expect(summary(1).status).toBe(1);
  report('b.json', { 'a [cpu] y': 'failed' }, 'failed');
  report('c.json', {}, 'failed');
  expect(summary()).toEqual({
    status: 1,
    lines: [
      'cpu 1 passed 1 failed',
      'files that did not start 0 passed 1 failed',
      '1 passed, 2 failed',
    ],
  });
});
