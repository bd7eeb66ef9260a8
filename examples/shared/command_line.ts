/** What all examples do with the command line, and how they end. */
import { backends, training } from 'tfjs-transformers';
import { dim, red } from './terminal.js';

/**
 * A flag as a whole number.
 *
 * @param flag Its name, for the error.
 * @param text What was given.
 * @param min The least value allowed.
 * @returns The number.
 */
export function wholeNumber(flag: string, text: string, min: number): number {
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
export async function useBackend(name: string): Promise<void> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow's own start-up log is no part of the output
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
export function resumeCommand(
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

/**
 * Runs an example; an error ends it with one clear line and exit code 1.
 *
 * @param main The example.
 */
export async function runExample(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(`\n${red((error as Error).message)}`);
    process.exitCode = 1;
  }
}
