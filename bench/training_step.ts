/**
 * How long is a training step of a GPT: by our kernels, by our references, composed by hand, on tfjs-node, in PyTorch?
 * `npx tsx bench/training_step.ts [tiny|wide] [rounds]`
 *
 * PyTorch takes part where TORCH_PYTHON names a Python that has it, or python3 has it; tfjs-node where it is built; other
 * peers where bench/package.json is installed.
 */
import { SIZES, trainingStep } from './scoreboard/training_step.js';
import { toMarkdown } from './scoreboard/table.js';

const size = (process.argv[2] ?? 'tiny') as keyof typeof SIZES;
console.log(toMarkdown(await trainingStep(size, Number(process.argv[3] ?? 5))));
process.exit(); // a peer's import keeps timers
