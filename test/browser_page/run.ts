/**
 * Tests examples/browser in headless Chromium, as people would use it.
 *
 *     npm run test:page -- [-t PATTERN_OF_A_NAME] [--no-build] [--json --outputFile=FILE]
 *
 * Builds the page twice, minified and not; `--no-build` takes the builds of the last run. Pictures of the views go to
 * examples/browser/output/screenshots. CHROME_PATH names the browser.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { startChromium } from '../browser/chromium.js';
import * as files from './files.js';
import { runTest, type Folders } from './harness.js';
import * as hosts from './hosts.js';
import * as masks from './masks.js';
import * as people from './people.js';
import * as trainAndGenerate from './train_and_generate.js';

const SUITES = { masks, 'train and generate': trainAndGenerate, files, hosts, people };

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean' },
    outputFile: { type: 'string' },
    testNamePattern: { type: 'string', short: 't', default: '' },
    'no-build': { type: 'boolean', default: false },
  },
});

const example = fileURLToPath(new URL('../../examples/browser/', import.meta.url));
const folders: Folders = {
  minified: join(example, 'output/page'),
  plain: join(example, 'output/page_not_minified'),
  screenshots: join(example, 'output/screenshots'),
};
if (!flags['no-build']) {
  const configFile = join(example, 'vite.config.ts');
  const common = { configFile, logLevel: 'warn' as const };
  await build(common);
  await build({ ...common, build: { minify: false, outDir: folders.plain } });
}

/** Longest time for one test. */
const TEST_TIMEOUT = 240_000;

/** Rejects when a test has had its time; nothing waits for it. */
function timeLimit(): Promise<never> {
  return new Promise((_, reject) => {
    const late = (): void => reject(new Error(`it took longer than ${TEST_TIMEOUT / 1000} s.`));
    setTimeout(late, TEST_TIMEOUT).unref();
  });
}

interface Result {
  fullName: string;
  status: 'passed' | 'failed';
}

const pattern = new RegExp(flags.testNamePattern);
const reports: { name: string; status: string; message: string; assertionResults: Result[] }[] = [];
const browser = await startChromium();
try {
  for (const [suite, { tests }] of Object.entries(SUITES)) {
    const assertionResults: Result[] = [];
    for (const test of tests) {
      const fullName = `the page [page] ${suite}: ${test.name}`;
      if (!pattern.test(fullName)) continue;
      const before = performance.now();
      let problem = '';
      try {
        await Promise.race([runTest(browser, folders, test), timeLimit()]);
      } catch (error) {
        problem = (error as Error).message;
      }
      const seconds = ((performance.now() - before) / 1000).toFixed(1);
      console.log(`${problem === '' ? '✓' : '✕'} ${suite}: ${test.name} (${seconds} s)`);
      if (problem !== '') console.log(problem.replace(/^/gm, '      '));
      assertionResults.push({ fullName, status: problem === '' ? 'passed' : 'failed' });
    }
    const failed = assertionResults.some(({ status }) => status === 'failed');
    reports.push({
      ...{ name: suite, status: failed ? 'failed' : 'passed', message: '', assertionResults },
    });
  }
} finally {
  await browser.close();
}

const results = reports.flatMap(({ assertionResults }) => assertionResults);
const failed = results.filter(({ status }) => status === 'failed').length;
console.log(`page: ${results.length - failed} passed, ${failed} failed`);
if (flags.outputFile !== undefined) {
  writeFileSync(flags.outputFile, JSON.stringify({ success: failed === 0, testResults: reports }));
}
process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
