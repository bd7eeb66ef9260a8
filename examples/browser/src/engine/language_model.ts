/** A model with its tokenizer, and the files that hold both. */
import * as tfl from '@tensorflow/tfjs-layers';
import { generation, tokenizers, training } from 'tfjs-transformers';
import type { ModelInfo } from './protocol.js';

/** A causal language model that can be given text. */
export interface LanguageModel {
  /** The model. */
  model: tfl.LayersModel;
  /** Its tokenizer. */
  tokenizer: tokenizers.Tokenizer;
  /** Where it comes from. */
  name: string;
  /** Whether it writes lines, between {@link START} and {@link END}. */
  lines: boolean;
  /** Ids after which it has nothing more to say. */
  endIds: number[];
}

/** Fills up short lines in a batch. */
export const PAD = '<pad>';
/** Comes before each line. */
export const START = '<start>';
/** Comes after each line. */
export const END = '<end>';

/** What is saved beside the weights, in `model.json`. */
interface Metadata {
  tokenizer: tokenizers.TokenizerJSON;
  name: string;
  lines: boolean;
}

/**
 * Saves a model with its tokenizer: `model.json` and `weights.bin`.
 *
 * @param language The model.
 * @param storage Where to.
 */
export async function saveModel(
  { model, tokenizer, name, lines }: LanguageModel,
  storage: training.CheckpointStorage,
): Promise<void> {
  const known = model.getUserDefinedMetadata() ?? {}; // of a model from Keras: what its file said
  const metadata: Metadata = { tokenizer: tokenizer.toJSON(), name, lines };
  model.setUserDefinedMetadata({ ...known, ...metadata });
  await model.save(training.modelFiles(storage));
}

/**
 * Loads what `saveModel` saved.
 *
 * @param storage Where from.
 * @returns The model.
 * @throws Error when it is no language model, has no tokenizer, or its files are damaged.
 */
export async function loadModel(storage: training.CheckpointStorage): Promise<LanguageModel> {
  const model = await tfl.loadLayersModel(training.modelFiles(storage));
  const {
    tokenizer: json,
    name,
    lines,
  } = (model.getUserDefinedMetadata() ?? {}) as Partial<Metadata>;
  if (json === undefined) {
    model.dispose();
    throw new Error(
      'model.json holds no tokenizer. Before saving: model.setUserDefinedMetadata({ tokenizer: tokenizer.toJSON() }).',
    );
  }
  return usable({
    model,
    tokenizer: tokenizers.fromJSON(json),
    name: name ?? 'model.json',
    lines: lines ?? false,
    endIds: [],
  });
}

/**
 * Lets a model that was just loaded write one token: only then is it sure that it can.
 *
 * @param language The model; disposed of when it cannot.
 * @returns The model, with the end token of its lines.
 */
export async function usable(language: LanguageModel): Promise<LanguageModel> {
  const { model, tokenizer, lines } = language;
  try {
    const endIds = lines ? [tokenizer.idOf(END)] : language.endIds;
    checkSizes(model, tokenizer);
    await generation.generate(model, [lines ? tokenizer.idOf(START) : 0], { maxNewTokens: 1 });
    return { ...language, endIds };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * What the page wants to know about a model.
 *
 * @param language The model.
 * @returns The facts.
 */
export function infoOf({ model, tokenizer, name, lines }: LanguageModel): ModelInfo {
  return { name, lines, parameters: model.countParams(), vocabulary: tokenizer.size };
}

/** A tokenizer of another model would give ids that mean something else, or nothing. */
function checkSizes(model: tfl.LayersModel, tokenizer: tokenizers.Tokenizer): void {
  const [output] = model.outputs;
  const vocabulary = output.shape.at(-1);
  if (typeof vocabulary === 'number' && tokenizer.size > vocabulary) {
    throw new Error(
      `The tokenizer knows ${tokenizer.size} tokens, the model only ${vocabulary}: they do not belong together.`,
    );
  }
}
