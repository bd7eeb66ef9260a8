import { errorText } from '../backends/packages.js';
import { assert, describe } from '../util/errors.js';
import type { Callback } from './callback.js';
import { nodeFiles, type Files } from '../util/node_files.js';

/**
 * A log of a training run in a file, one JSON object a line; for Node. Every line has an `event` (`start`, `log`,
 * `validation`, `checkpoint`, `end`), a `step`, the `time` (ISO 8601) and what `fit` knows then: loss, learning rate,
 * gradient norm, tokens a second, metrics.
 *
 * A run that goes on from a checkpoint first drops the lines of later steps, which it makes again: so the log has every
 * step once.
 *
 * @param path Of the file; it is made, or added to.
 * @returns For `callbacks` of `fit`.
 */
export function jsonLines(path: string): Callback {
  assert(
    typeof path === 'string' && path !== '',
    () => `jsonLines: path must be that of a file, got path=${describe(path)}.`,
  );
  const load = (): Promise<Files> => nodeFiles('jsonLines', 'Give onLog and onValidation instead.');
  const append = async (event: string, entry: object): Promise<void> => {
    const line = JSON.stringify({ event, time: new Date().toISOString(), ...entry });
    await (await load()).appendFile(path, `${line}\n`);
  };
  return {
    async onStart({ step }) {
      const files = await load();
      const before = await files.readFile(path).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'ENOENT') return new Uint8Array();
        throw error;
      });
      if (before.length > 0) await files.writeFile(path, upTo(step, before));
      await append('start', { step });
    },
    onLog: (entry) => append('log', entry),
    onValidation: (entry) => append('validation', entry),
    onCheckpoint: (saved) => append('checkpoint', saved),
    onEnd: ({ steps, stopped, best }, error) =>
      append(
        'end',
        error === undefined ? { step: steps, stopped, best } : { error: errorText(error) },
      ),
  };
}

/** The lines up to a step; a line that a kill has cut off is dropped too. */
function upTo(step: number, bytes: Uint8Array): string {
  if (step === 0) return new TextDecoder().decode(bytes);
  const lines = new TextDecoder().decode(bytes).split('\n');
  const kept = lines.filter((line) => {
    try {
      const entry = JSON.parse(line) as { step?: number } | null;
      return entry !== null && (entry.step ?? 0) <= step;
    } catch {
      return false;
    }
  });
  return kept.map((line) => `${line}\n`).join('');
}
