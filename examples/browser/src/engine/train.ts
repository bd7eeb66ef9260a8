/** Training, with pause, stop, and a run that can go on after a reload. */
import { generation, tokenizers, training } from 'tfjs-transformers';
import { browserStorage, clear } from './indexed_db.js';
import { END, PAD, START, type LanguageModel } from './language_model.js';
import type {
  EngineEvent,
  LossEntry,
  TrainResult,
  TrainSettings,
  UnfinishedRun,
} from './protocol.js';
import { makeModel, makeOptimizer, ROW } from './recipe.js';

/** Checkpoints, and beside them what they are of. */
const storage = browserStorage('run');
const SETTINGS = 'settings.json';
const LOG = 'log.json';

/** Less text teaches nothing. */
const LEAST = { lines: 20, characters: 1000 };
/** Validations of a run, each with samples. */
const VALIDATIONS = 10;

/**
 * The run that was stopped, or cut off when the page was closed.
 *
 * @returns Null when there is none.
 */
export async function unfinishedRun(): Promise<UnfinishedRun | null> {
  const latest = await training.latestCheckpoint(storage);
  if (latest === undefined) return null;
  const settings = (await readJSON(SETTINGS)) as TrainSettings;
  return { settings, ...((await readJSON(LOG)) as Pick<UnfinishedRun, 'step' | 'log'>) };
}

/** Forgets it. */
export function forgetRun(): Promise<void> {
  return clear(storage);
}

/** One training run. */
export class TrainingRun {
  /** The model in training. */
  readonly language: LanguageModel;
  private readonly data: { train: training.TextDataset; validation: training.TextDataset };
  private readonly abort = new AbortController();
  private readonly holds = new Set<string>();
  private released: () => void = () => undefined;
  private log: LossEntry[] = [];

  /**
   * Reads the text and makes the model.
   *
   * @param settings What to do.
   * @param tell Gets losses and samples.
   * @param onSave Called whenever the model is worth keeping.
   * @throws Error when there is too little text.
   */
  constructor(
    private readonly settings: TrainSettings,
    private readonly tell: (event: EngineEvent) => void,
    private readonly onSave: (language: LanguageModel) => Promise<void>,
  ) {
    const { text, lines, size, seed } = settings;
    const { tokenizer, ...data } = lines ? readLines(text, seed) : readText(text, seed);
    const model = makeModel(size, {
      ...{ vocabularySize: tokenizer.size, seed },
      ...(lines && { padId: tokenizer.idOf(PAD) }),
    });
    const endIds = lines ? [tokenizer.idOf(END)] : [];
    const words = text.trim().slice(0, 24).replace(/\s+/g, ' ');
    this.language = { model, tokenizer, lines, endIds, name: `“${words}…”` };
    this.data = data;
  }

  /**
   * Trains to the end, or until `stop`.
   *
   * @param unfinished The run to go on with, of the same settings; a new one when null.
   */
  async train(unfinished: UnfinishedRun | null): Promise<TrainResult> {
    const { settings, language, data, log } = this;
    const { size, steps } = settings;
    if (unfinished) log.push(...unfinished.log);
    else {
      await clear(storage);
      await writeJSON(SETTINGS, settings);
    }
    const optimizer = makeOptimizer(size, steps);
    const every = Math.max(1, Math.round(steps / VALIDATIONS));
    // Time between two readings, without the time that the run was held.
    let tokens = 0;
    let since = performance.now();
    try {
      const history = await training.fit(language.model, data.train, {
        optimizer,
        steps,
        clipNorm: 1,
        logEvery: 5,
        validationData: data.validation,
        validateEvery: every,
        validationSteps: 8,
        checkpoint: { storage, every, keep: 1 },
        ...(unfinished && { resumeFrom: 'latest' }),
        signal: this.abort.signal,
        progress: false,
        onStep: async (step) => {
          tokens += step.tokens;
          since += await this.whileHeld();
        },
        onLog: ({ step, loss }) => {
          const tokensPerSecond = (1000 * tokens) / (performance.now() - since);
          this.note({ step, loss }, tokensPerSecond);
          tokens = 0;
          since = performance.now();
        },
        onValidation: async ({ step, loss }) => {
          const before = performance.now();
          this.note({ step, validation: loss });
          this.tell({ type: 'samples', step, texts: await writeSamples(language, settings) });
          await this.onSave(language);
          since += performance.now() - before;
        },
        callbacks: [{ onCheckpoint: ({ step }) => writeJSON(LOG, { step, log }) }],
      });
      await this.onSave(language);
      const stopped = history.stopped === 'aborted';
      if (!stopped) await clear(storage);
      return { step: history.steps, steps, stopped };
    } finally {
      optimizer.dispose();
    }
  }

  /**
   * Holds the run between two steps. Who holds it must release it.
   *
   * @param who A name: the user's pause and a text being written hold it independently.
   */
  hold(who: string): void {
    this.holds.add(who);
  }

  /**
   * Takes a hold back.
   *
   * @param who As given to `hold`.
   */
  release(who: string): void {
    this.holds.delete(who);
    if (this.holds.size === 0) this.released();
  }

  /** Ends the run after the step under way, with a checkpoint. */
  stop(): void {
    this.abort.abort();
    this.holds.clear();
    this.released();
  }

  /** Waits as long as somebody holds the run; resolves to the milliseconds. */
  private async whileHeld(): Promise<number> {
    const before = performance.now();
    while (this.holds.size > 0) {
      await new Promise<void>((resolve) => (this.released = resolve));
    }
    return performance.now() - before;
  }

  private note(entry: LossEntry, tokensPerSecond?: number): void {
    this.log.push(entry);
    this.tell({ type: 'loss', entry, steps: this.settings.steps, tokensPerSecond });
  }
}

interface Material {
  tokenizer: tokenizers.Tokenizer;
  train: training.TextDataset;
  validation: training.TextDataset;
}

/** Each line is an example, of its own length, so that there is padding. */
function readLines(text: string, seed: number): Material {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const distinct = new Set(lines).size;
  if (distinct < LEAST.lines) {
    throw new Error(`There must be at least ${LEAST.lines} different lines, got ${distinct}.`);
  }
  const tokenizer = tokenizers.characters(lines.join(''), { special: [PAD, START, END] });
  const dataset = (part: string[]): training.TextDataset =>
    training.textDataset(part, {
      ...{ tokenizer, seed, batchSize: 64, startToken: START, endToken: END, padToken: PAD },
      ...{ sequenceLength: ROW.line, longDocuments: 'truncate' },
    });
  const { train, validation } = training.splitDocuments(lines, { seed });
  return { tokenizer, train: dataset(train), validation: dataset(validation) };
}

/** One text, cut into rows at other places in every epoch; its end is for measuring. */
function readText(text: string, seed: number): Material {
  if (text.length < LEAST.characters) {
    throw new Error(`There must be at least ${LEAST.characters} characters, got ${text.length}.`);
  }
  const tokenizer = tokenizers.characters(text);
  const dataset = (part: string): training.TextDataset =>
    training.textDataset(part, { ...{ tokenizer, seed, batchSize: 32 }, sequenceLength: ROW.text });
  const { train, validation } = training.splitText(text);
  return { tokenizer, train: dataset(train), validation: dataset(validation) };
}

/** What the model would write now. */
async function writeSamples(
  { model, tokenizer, lines, endIds }: LanguageModel,
  { text, seed }: TrainSettings,
): Promise<string[]> {
  const prompts = lines
    ? Array.from({ length: 6 }, () => [tokenizer.idOf(START)])
    : [tokenizer.encode(text.trimStart().slice(0, 1))];
  const { text: texts } = await generation.generate(model, prompts, {
    ...{ tokenizer, seed, doSample: true, temperature: 0.8 },
    ...(lines
      ? {
          suppressTokens: [tokenizer.idOf(PAD), tokenizer.idOf(START)],
          padTokenId: tokenizer.idOf(PAD),
          eosTokenId: endIds,
          maxNewTokens: 20,
        }
      : { maxNewTokens: 100 }),
  });
  return texts!;
}

async function writeJSON(name: string, value: unknown): Promise<void> {
  await storage.write(name, new TextEncoder().encode(JSON.stringify(value)));
}

async function readJSON(name: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await storage.read(name)));
}
