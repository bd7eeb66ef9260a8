// Adds up what the test runs of .ci/run reported: tests per backend, then the line `N passed, N failed`.
// Usage: summary.mjs FOLDER_OF_REPORTS FAILED_STEPS. Exits with 1 when a test or a step failed, or nothing ran.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = process.argv.slice(2);

/** How titles name the backend; jest's own tests of a pretended WebGL don't count as such. */
const IN_NODE = /\[(cpu|wasm|wasm-kernels|wasm-relaxed|tensorflow|tensorflow-kernels)\]/;
const IN_BROWSER = /\[(webgl|webgl-f16|webgpu|wasm-page|wasm-isolated|page)\]/;

const counts = new Map();
const total = { passed: 0, failed: 0 };

for (const file of readdirSync(folder).sort()) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  for (const suite of report.testResults) {
    // A test file that could not even start has no tests: it counts as one failure.
    if (suite.status === 'failed' && suite.assertionResults.length === 0)
      count('files that did not start', 'failed');
    for (const test of suite.assertionResults) {
      if (test.status !== 'passed' && test.status !== 'failed') continue;
      const backend = (/^(browser|page)\.json$/.test(file) ? IN_BROWSER : IN_NODE).exec(
        test.fullName,
      )?.[1];
      count(backend ?? 'no backend named', test.status);
    }
  }
}

for (const [name, { passed, failed }] of counts) {
  console.log(
    `${name.padEnd(24)} ${String(passed).padStart(6)} passed ${String(failed).padStart(6)} failed`,
  );
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 || Number(failedSteps) > 0 ? 1 : 0;

function count(name, status) {
  if (!counts.has(name)) counts.set(name, { passed: 0, failed: 0 });
  counts.get(name)[status] += 1;
  total[status] += 1;
}
