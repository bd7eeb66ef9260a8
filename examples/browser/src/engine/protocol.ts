/** What the page and its worker say to each other. */

/** Backends that the page knows how to load. */
export type BackendName = 'webgpu' | 'webgl' | 'wasm' | 'cpu';

/** What to train, and on what. */
export interface TrainSettings {
  /** The text to learn from. */
  text: string;
  /** Whether each line is an example by itself, like a name; otherwise it is one running text. */
  lines: boolean;
  /** Size of the model. */
  size: 'small' | 'medium';
  /** Optimizer steps. */
  steps: number;
  /** Of weights, batches and samples. */
  seed: number;
}

/** How a training run ended. */
export interface TrainResult {
  /** Steps done, those before a reload included. */
  step: number;
  /** Steps wanted. */
  steps: number;
  /** Whether all steps were done, or somebody stopped it. */
  stopped: boolean;
}

/** How to continue a prompt. */
export interface GenerateSettings {
  /** What stands there already; may be empty. */
  prompt: string;
  /** Rows to write, each from the prompt. */
  count: number;
  /** Most tokens a row. */
  maxNewTokens: number;
  /** 0 takes the most likely token always. */
  temperature: number;
  /** Only the k most likely tokens; 0 for all. */
  topK: number;
  /** Only the most likely tokens that make up this share of the probability. */
  topP: number;
  /** Of the draws; row i uses seed + i. */
  seed: number;
  /** Whether attention maps are wanted. */
  attention: boolean;
}

/** The model that is loaded. */
export interface ModelInfo {
  /** Where it comes from: a training run, or the name of a file. */
  name: string;
  /** Its weights. */
  parameters: number;
  /** Tokens of its vocabulary. */
  vocabulary: number;
  /** Whether it writes lines that end by themselves. */
  lines: boolean;
}

/** A training run that was interrupted, and can go on. */
export interface UnfinishedRun {
  /** Its settings. */
  settings: TrainSettings;
  /** Steps done. */
  step: number;
  /** Its loss curve so far. */
  log: LossEntry[];
}

/** A reading of the loss, in nats a token. */
export interface LossEntry {
  /** Steps done. */
  step: number;
  /** Mean loss of the steps since the last reading. */
  loss?: number;
  /** Loss on what is not learned from. */
  validation?: number;
}

/** Attention of one layer to one step of generation. */
export interface AttentionMap {
  /** Path of the layer. */
  layer: string;
  /** N */
  heads: number;
  /** Positions of the queries: the prompt's in the first step, later that of the newest token. */
  from: number;
  /** Number of queries, T. */
  queries: number;
  /** Number of keys, S. */
  keys: number;
  /** Probabilities [N,T,S]. */
  weights: Float32Array;
}

/** What the worker tells without being asked. */
export type EngineEvent =
  | { type: 'loss'; entry: LossEntry; steps: number; tokensPerSecond?: number }
  | { type: 'samples'; step: number; texts: string[] }
  | { type: 'row'; row: number; prompt: string[] }
  | { type: 'token'; row: number; text: string; attention: AttentionMap[] }
  | { type: 'model'; model: ModelInfo | null }
  | { type: 'not-kept'; reason: string };

/** A file on its way out. */
export interface NamedFile {
  /** Its name. */
  name: string;
  /** Its content. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** What the page can ask the worker to do. */
export interface EngineMethods {
  /** Starts a backend; once. Resolves to a sentence about it. */
  start(backend: BackendName, timeout: number): Promise<string>;
  /** Milliseconds of a training step of the small model: the median of a few. */
  measure(): Promise<number>;
  /** Loads the model that this browser keeps, and tells of a run that can go on. */
  restore(): Promise<UnfinishedRun | null>;
  /** Trains a new model; with null, goes on with the unfinished run. Resolves when it has ended. */
  train(settings: TrainSettings | null): Promise<TrainResult>;
  /** Holds the run between two steps. */
  pause(): void;
  /** Lets it go on. */
  resume(): void;
  /** Ends the run after the step under way; it is kept, and can go on. */
  stop(): void;
  /** Writes, token by token; resolves to whether it came to its end. */
  generate(settings: GenerateSettings): Promise<boolean>;
  /** Ends the writing within a token. */
  stopGenerating(): void;
  /** Takes a model from files in the place of the one that is loaded; when that fails, nothing has changed. */
  importModel(files: File[]): Promise<void>;
  /** The loaded model as files. */
  exportModel(): Promise<NamedFile[]>;
  /** Forgets the model and the run that this browser keeps. */
  forget(): Promise<void>;
}
