/**
 * Runs test files in headless Chromium on webgl, on webgl with 16-bit textures, on webgpu, and with the wasm kernels in
 * an ordinary page and in a cross-origin-isolated one.
 *
 *     npm run test:browser -- [PART_OF_A_PATH…] [-t PATTERN_OF_A_NAME] [--json --outputFile=FILE]
 *
 * Files that deviations.ts leaves out run when a path names them. TEST_BACKENDS=webgl,… narrows the backends;
 * CHROME_PATH names the browser. Each file has a page of its own, as it has a module registry of its own under jest. The
 * report has those fields of jest's that .ci/summary.mjs reads.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { bundle } from './bundle.js';
import { startChromium } from './chromium.js';
import { deviationOf, expectedFailures, leftOut } from './deviations.js';
import type { TestResult } from './runner.js';
import { serve } from './server.js';

/** Folders and files of test/ that run here, by backend. */
const ON_GPU = [
  ...['contract', 'masks', 'ops', 'layers', 'models', 'cache'],
  ...['training/fixtures.test.ts', 'generation/sampling.test.ts'],
  'pretrained/keras/from_file.test.ts',
];
const ON_WASM = ['contract', 'kernels/wasm', 'browser', 'pretrained/keras/from_file.test.ts'];
const FOLDERS: Record<string, string[]> = {
  webgl: ON_GPU,
  'webgl-f16': ON_GPU,
  webgpu: ON_GPU,
  'wasm-page': ON_WASM,
  'wasm-isolated': ON_WASM,
};
const BACKENDS = Object.keys(FOLDERS);
/** Longest time for one file on one backend. */
const FILE_TIMEOUT = 150_000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    outputFile: { type: 'string' },
    testNamePattern: { type: 'string', short: 't', default: '' },
  },
});

/** Its test files that the command line asks for. */
function filesIn(place: string): string[] {
  const names = place.endsWith('.ts') ? [place] : readdirSync(join(root, 'test', place));
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => (name === place ? `test/${name}` : `test/${place}/${name}`))
    .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)));
}

const backends = process.env.TEST_BACKENDS?.split(',') ?? BACKENDS;
for (const name of backends) {
  if (!BACKENDS.includes(name))
    throw new Error(`TEST_BACKENDS: must be of ${BACKENDS.join(', ')}, got '${name}'.`);
}

interface FileReport {
  name: string;
  status: 'passed' | 'failed';
  message: string;
  /** Pending are those that fail as expected: no pass, no failure. */
  assertionResults: {
    fullName: string;
    status: 'passed' | 'failed' | 'pending';
    failureMessages: string[];
  }[];
}

const reports: FileReport[] = [];
const summary: string[] = [];
const browser = await startChromium();
const files = backends.map((backend) => FOLDERS[backend].flatMap(filesIn));
const wasmPackage = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
const server = await serve(
  await bundle([...new Set(files.flat())], root),
  { '/fixtures/': join(root, 'test', 'fixtures'), '/wasm/': dirname(wasmPackage) },
  (address) => address.searchParams.get('backend') !== 'wasm-page',
);
try {
  for (const [i, backend] of backends.entries()) {
    const counts = { passed: 0, failed: 0, pending: 0 };
    for (const file of files[i]) {
      if (positionals.length === 0 && deviationOf(leftOut, backend, file)) continue;
      const report = await runFile(browser, server.url, backend, file);
      reports.push(report);
      for (const { status } of report.assertionResults) counts[status]++;
      if (report.status === 'failed' && report.message !== '') counts.failed++;
    }
    summary.push(
      `${backend}: ${counts.passed} passed, ${counts.failed} failed, ${counts.pending} known deviations`,
    );
  }
} finally {
  await browser.close();
  server.stop();
}

console.log();
for (const { backends, tests, reason } of leftOut)
  console.log(`left out on ${backends.join(', ')}: ${tests.join(', ')}: ${reason}.`);
for (const { backends, tests, reason } of expectedFailures)
  console.log(`fails, as it must, on ${backends.join(', ')}: ${tests.length} tests: ${reason}.`);
for (const line of summary) console.log(line);
const failed = reports.some(({ status }) => status === 'failed');
const ran = reports.some(({ assertionResults }) => assertionResults.length > 0);
if (flags.outputFile !== undefined) {
  writeFileSync(flags.outputFile, JSON.stringify({ success: !failed, testResults: reports }));
}
process.exitCode = failed || !ran ? 1 : 0;

/** Opens a page for one file, and prints what came of it. */
async function runFile(
  browser: Browser,
  url: string,
  backend: string,
  file: string,
): Promise<FileReport> {
  const startTime = performance.now();
  const results: TestResult[] = [];
  const context = await browser.newContext();
  const page = await context.newPage();
  // TensorFlow.js takes half of the processors, so that two threads need four.
  if (backend === 'wasm-isolated')
    await page.addInitScript(
      "Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 })",
    );
  let timer: NodeJS.Timeout | undefined;
  const message = await new Promise<string>((resolve, reject) => {
    timer = setTimeout(() => resolve(`did not end within ${FILE_TIMEOUT / 1000} s.`), FILE_TIMEOUT);
    page.on('pageerror', (error) => resolve(error.stack ?? error.message));
    page.on('crash', () => resolve('the page crashed.'));
    const query = new URLSearchParams({
      backend,
      file,
      pattern: flags.testNamePattern,
    });
    (async () => {
      await page.exposeFunction('reportResult', (result: TestResult) => void results.push(result));
      await page.exposeFunction('reportEnd', (error: string) => resolve(error));
      await page.goto(`${url}/?${query}`, { waitUntil: 'commit' });
    })().catch(reject);
  });
  clearTimeout(timer);
  await context.close();

  const assertionResults = results.map((result) => judge(backend, result));
  const failures = assertionResults.filter(({ status }) => status === 'failed');
  const status = failures.length > 0 || message !== '' ? 'failed' : 'passed';
  const seconds = ((performance.now() - startTime) / 1000).toFixed(1);
  const passed = assertionResults.filter(({ status }) => status === 'passed').length;
  if (assertionResults.length > 0 || status === 'failed') {
    console.log(
      `${backend.padEnd(13)} ${file.padEnd(50)} ${passed} passed, ${failures.length} failed (${seconds} s)`,
    );
  }
  for (const { fullName, failureMessages } of failures)
    console.log(`  ✕ ${fullName}\n${indent(failureMessages.join('\n'))}`);
  if (message !== '') console.log(`  ✕ ${file} [${backend}]\n${indent(message)}`);
  return { name: file, status, message, assertionResults };
}

/** A result as it counts: an expected failure has to fail. */
function judge(
  backend: string,
  { fullName, status, message }: TestResult,
): FileReport['assertionResults'][number] {
  const expected = deviationOf(expectedFailures, backend, fullName);
  if (expected === undefined)
    return { fullName, status, failureMessages: status === 'failed' ? [message] : [] };
  if (status === 'failed') return { fullName, status: 'pending', failureMessages: [] };
  const stale = `passes, but test/browser/deviations.ts expects it to fail (${expected.reason}). Remove it there.`;
  return { fullName, status: 'failed', failureMessages: [stale] };
}

function indent(text: string): string {
  return text.replace(/^/gm, '      ');
}
