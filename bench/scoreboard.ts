/**
 * The scoreboard: five questions, us beside peers on the same work in the same run. `npm run bench` answers them all and
 * writes docs/benchmarks.md; `npm run bench -- --quick` takes small sizes, holds the ratios against the committed ones and
 * fails when one is less than half of what it was; `--only NAME` asks the questions whose name contains NAME; `--commit`
 * keeps the ratios of a quick run.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { attention } from './scoreboard/attention.js';
import { commit, compare } from './scoreboard/committed.js';
import { decoding } from './scoreboard/decoding.js';
import { machine } from './scoreboard/machine.js';
import { matrixProducts } from './scoreboard/matrix_products.js';
import { page } from './scoreboard/page.js';
import { ratiosOf, toMarkdown, type Effort, type Table } from './scoreboard/table.js';
import { trainingStep } from './scoreboard/training_step.js';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    commit: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const effort: Effort = { quick: flags.quick };
const QUESTIONS: Record<string, () => Promise<Table>> = {
  'training step, tiny': () => trainingStep('tiny', flags.quick ? 3 : 7, flags.quick ? 100 : 500),
  ...(flags.quick ? {} : { 'training step, wide': () => trainingStep('wide', 3, 100) }),
  attention: () => attention(effort),
  'matrix products': () => matrixProducts(effort),
  decoding: () => decoding(effort),
  page: () => page(effort),
};

const PAGE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '); // prettier-ignore
const head = machine(command, pytorchVersion());
console.log(`${head}\n`);

const tables: Table[] = [];
const failures: string[] = [];
for (const [name, ask] of Object.entries(QUESTIONS)) {
  if (!name.includes(flags.only)) continue;
  const start = performance.now();
  try {
    const table = await ask();
    tables.push(table);
    console.log(`${toMarkdown(table)}\n`);
  } catch (error) {
    failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    console.log(`${name} FAILED: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
  console.log(`(${((performance.now() - start) / 1000).toFixed(0)} s)\n`);
}

const kind = flags.quick ? 'quick' : 'full';
const ratios = ratiosOf(tables);
const { lines, halved } = compare(kind, ratios);
console.log(`Ratios of this run and the committed ones\n\n${lines.join('\n')}`);
if (flags.quick && !flags.commit) {
  for (const name of halved) failures.push(`${name}: more than halved`);
} else {
  commit(kind, ratios);
}
if (!flags.quick && flags.only === '' && failures.length === 0) {
  const introduction = readFileSync(new URL('scoreboard/introduction.md', import.meta.url), 'utf8');
  writeFileSync(PAGE, [introduction.trim(), head, ...tables.map(toMarkdown), ''].join('\n\n'));
  spawnSync('npx', ['prettier', '--write', PAGE]);
  console.log(`\nWritten to ${PAGE}.`);
}
if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`);
process.exit(failures.length > 0 ? 1 : 0); // peers keep threads and timers

function pytorchVersion(): string | null {
  for (const python of [process.env.TORCH_PYTHON, 'python3']) {
    if (python === undefined) continue;
    const { status, stdout } = spawnSync(python, ['-c', 'import torch; print(torch.__version__)']);
    if (status === 0) return stdout.toString().trim();
  }
  return null;
}
