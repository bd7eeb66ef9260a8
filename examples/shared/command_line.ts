/** What all examples do with the command line, and how they end. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { backends, training } from 'tfjs-transformers';
import { dim, red } from './terminal.js';

/** What an example says of itself. */
export interface Example {
  /** What `--help` prints. */
  usage: string;
  /** How it is started, for example `npm start`. */
  command: string;
  /** Its `import.meta.url`; `output` beside it is where results go unless `--output` says otherwise. */
  url: string;
  /** Optimizer steps unless `--steps` says otherwise. */
  steps: number;
  /** Names of flags beside those that all have; each takes a value. */
  flags?: string[];
}

/** What the command line asked for. */
export interface Run {
  steps: number;
  seed: number;
  /** Folder of the results. */
  output: string;
  /** Whether to go on from the last checkpoint. */
  resume: boolean;
  /** The example's own flags, by name; what was not given is not there. */
  flags: Record<string, string | undefined>;
  /** The command that goes on where this run stopped, with some flags changed. */
  resumeCommand: (changes?: Record<string, string | number | undefined>) => string;
}

/**
 * A flag as a whole number.
 *
 * @param flag Its name, for the error.
 * @param text What was given.
 * @param min The least value allowed.
 * @returns The number.
 */
function wholeNumber(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min) {
    throw new Error(`${flag} must be a whole number, at least ${min}, got '${text}'.`);
  }
  return value;
}

/**
 * Makes a backend run, and says which one does and why.
 *
 * @param name `wasm`, `tensorflow`, `cpu` or `auto`.
 */
async function useBackend(name: string): Promise<void> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow's own start-up log is no part of the output
  // Node 20 has fused multiply-add, a fifth faster, behind a flag; later ones have it always.
  if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  try {
    const { message } = await backends.use(name);
    console.log(dim(`Backend: ${message}`));
  } catch (error) {
    const hint = 'In this repository `npm run native` gets tfjs-node, the tensorflow backend.';
    throw name === 'tensorflow' ? new Error(`${(error as Error).message} ${hint}`) : error;
  }
}

/**
 * Makes the first Ctrl-C stop training between two steps; the second one ends the process at once.
 *
 * @returns The signal for `training.fit`, and `release` to stop listening.
 */
export function stopOnCtrlC(): training.Interrupt {
  const interrupt = training.interruptSignal();
  interrupt.signal.addEventListener('abort', () => {
    console.log('\nStopping after this step; Ctrl-C again quits at once.');
  });
  return interrupt;
}

/**
 * The command that goes on where this run stopped.
 *
 * @param command How the example is started, for example `npm start`.
 * @param flags The flags of this run; those that are undefined or false are left out.
 * @returns The command.
 */
function resumeCommand(
  command: string,
  flags: Record<string, string | number | boolean | undefined>,
): string {
  const all: typeof flags = { ...flags, resume: true };
  const words = Object.entries(all).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    const word = String(value);
    return [`--${name}`, /^[\w./:-]+$/.test(word) ? word : `'${word}'`];
  });
  return [command, '--', ...words].join(' ');
}

/** Reads the command line; undefined when it asked for help, and got it. */
async function readCommandLine(example: Example): Promise<Run | undefined> {
  const withValue = ['backend', 'steps', 'seed', 'output', ...(example.flags ?? [])];
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(withValue.map((name) => [name, { type: 'string' } as const])),
      resume: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(example.usage);
    return undefined;
  }
  const flags = values as Record<string, string | undefined>;
  const run = {
    steps: wholeNumber('--steps', flags.steps ?? String(example.steps), 1),
    seed: wholeNumber('--seed', flags.seed ?? '1', 0),
    output: flags.output ?? fileURLToPath(new URL('output', example.url)),
    resume: values.resume === true,
    flags,
    resumeCommand: (changes = {}) => resumeCommand(example.command, { ...values, ...changes }),
  } satisfies Run;
  await useBackend(flags.backend ?? 'wasm');
  return run;
}

/**
 * Runs an example on the backend that its command line names; an error ends it with one clear line and exit code 1.
 *
 * @param example What the example says of itself.
 * @param main The example; gets what the command line asked for.
 */
export async function runExample(
  example: Example,
  main: (run: Run) => Promise<void>,
): Promise<void> {
  try {
    const run = await readCommandLine(example);
    if (run) await main(run);
  } catch (error) {
    console.error(`\n${red((error as Error).message)}`);
    process.exitCode = 1;
  }
}
