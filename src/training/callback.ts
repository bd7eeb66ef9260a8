import type { History, LogEntry, ValidationEntry } from './history.js';

/**
 * Something that follows a training run, for example a log. Every part may be left out; what returns a promise is
 * awaited. `jsonLines` and `tensorBoard` make ready ones.
 */
export interface Callback {
  /** Before the first step. `step` is how many steps a resumed run already had. */
  onStart?(run: { step: number }): unknown;
  /** When the loss was read. */
  onLog?(entry: LogEntry): unknown;
  /** After every validation. */
  onValidation?(entry: ValidationEntry): unknown;
  /** When a checkpoint was saved. */
  onCheckpoint?(saved: { step: number; name: string }): unknown;
  /** At the end, also of a run that failed; there `error` says why. */
  onEnd?(history: History, error?: unknown): unknown;
}
