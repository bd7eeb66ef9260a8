/** A progress bar for a terminal; plain lines where the output is no terminal. */

/** Where progress is written: Node's `process.stderr` is one. */
export interface ProgressStream {
  /** Writes text as it is. */
  write(text: string): unknown;
  /** Whether it is a terminal that can go back to the start of a line. */
  isTTY?: boolean;
  /** Width of the terminal in characters. */
  columns?: number;
}

/** Where a training run stands. */
export interface ProgressState {
  /** Steps done. */
  step: number;
  /** Steps to do in all; infinite where only the end of the dataset tells. */
  steps: number;
  /** Mean loss of the last steps. */
  loss?: number;
  /** Last validation loss. */
  validationLoss?: number;
  /** Counted labels a second. */
  tokensPerSecond?: number;
  /** What a label stands for; `tokens`. */
  unit?: string;
  /** Seconds left. */
  remaining?: number;
}

const BAR = 20;
const SHORTEST_BAR = 5;

/** Shows the state of a training run on a stream. */
export class Progress {
  private readonly stream: ProgressStream;
  private shown = 0;
  private dirty = false;

  /** @param stream Where to write; Node's stderr unless given, the console in a browser. */
  constructor(stream?: ProgressStream) {
    this.stream = stream ?? defaultStream();
  }

  /** Shows a state: over the last one on a terminal, else as a new line at every twentieth of the way. */
  update(state: ProgressState): void {
    if (this.stream.isTTY) {
      const width = (this.stream.columns || 80) - 1; // some terminals say 0
      this.stream.write(`\r\u001b[K${formatProgress(state, width).slice(0, Math.max(1, width))}`);
      this.dirty = true;
    } else if (
      state.steps === Infinity ||
      state.step === state.steps ||
      (state.step - this.shown) * 20 >= state.steps
    ) {
      this.stream.write(`${formatProgress(state)}\n`);
      this.shown = state.step;
    }
  }

  /** Takes the bar away, so that something else can be printed; the next update shows it again. */
  clear(): void {
    if (this.dirty) this.stream.write('\r\u001b[K');
    this.dirty = false;
  }

  /** Leaves the last state standing and goes to a new line. */
  end(): void {
    if (this.dirty) this.stream.write('\n');
    this.dirty = false;
  }
}

/**
 * A state as one line.
 *
 * @param state Where the run stands.
 * @param width Characters to get by with: the bar is shortened, then the validation loss left out. Unlimited unless
 * given.
 * @returns For example `120/600 ████░░░░░░ 20 % · loss 2.3456 · 12,345 tokens/s · 0:34 left`.
 */
export function formatProgress(state: ProgressState, width = Infinity): string {
  const { step, steps, loss, validationLoss, tokensPerSecond, remaining } = state;
  const { unit = 'tokens' } = state;
  const endless = steps === Infinity;
  const part = steps > 0 ? step / steps : 1;
  const count = `${String(step).padStart(String(steps).length)}/${steps} `;
  const fields = endless ? [`step ${step}`] : [` ${Math.floor(part * 100)} %`];
  if (loss !== undefined) fields.push(`loss ${loss.toFixed(4)}`);
  if (validationLoss !== undefined) fields.push(`validation ${validationLoss.toFixed(4)}`);
  if (tokensPerSecond !== undefined) {
    fields.push(`${Math.round(tokensPerSecond).toLocaleString('en-US')} ${unit}/s`);
  }
  if (remaining !== undefined && !endless) fields.push(`${formatDuration(remaining)} left`);
  const rest = fields.join(' · ');
  if (endless) return rest;
  const room = Math.min(BAR, width - count.length - rest.length);
  if (room < SHORTEST_BAR && validationLoss !== undefined) {
    return formatProgress({ ...state, validationLoss: undefined }, width);
  }
  const length = Math.max(SHORTEST_BAR, room);
  const filled = Math.round(part * length);
  return `${count}${'█'.repeat(filled)}${'░'.repeat(length - filled)}${rest}`;
}

/**
 * Seconds as a clock shows them.
 *
 * @param seconds At least 0.
 * @returns For example `0:34` or `1:02:03`.
 */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}

/**
 * Whether there is a person to show progress to.
 *
 * @returns True in Node when stderr is a terminal.
 */
export function onTerminal(): boolean {
  return defaultStream().isTTY === true;
}

function defaultStream(): ProgressStream {
  const { process } = globalThis as { process?: { stderr?: ProgressStream } };
  return process?.stderr ?? { write: (text) => console.log(text.trimEnd()) };
}
