/** Making a model of files that somebody chose. */
import { pretrained, tokenizers, training } from 'tfjs-transformers';
import { loadModel, usable, type LanguageModel } from './language_model.js';

/**
 * Takes `model.json` with its weights, as this page saves them and `training.modelFiles` writes them, or a file of Keras
 * (`.keras`, `.h5`) together with a `tokenizer.json`: of Hugging Face, or what `tokenizer.toJSON()` gave.
 *
 * @param files The files, in any order.
 * @returns The model.
 * @throws Error when there is none in them, saying what to choose; or what is wrong with it.
 */
export async function readModel(files: readonly File[]): Promise<LanguageModel> {
  const named = (pattern: RegExp): File | undefined => files.find(({ name }) => pattern.test(name));
  if (named(/^model\.json$/)) return fromModelJSON(files);
  const keras = named(/\.(keras|h5)$/);
  if (keras) return fromKeras(keras, named(/tokenizer\.json$/));
  const names = files.map(({ name }) => name).join(', ');
  throw new Error(
    `No model in ${names}. Choose model.json together with weights.bin, or a .keras file together with tokenizer.json.`,
  );
}

async function fromModelJSON(files: readonly File[]): Promise<LanguageModel> {
  const storage = training.memoryStorage();
  for (const file of files) {
    await storage.write(file.name, new Uint8Array(await file.arrayBuffer()));
  }
  return loadModel(storage);
}

async function fromKeras(file: File, tokenizerFile: File | undefined): Promise<LanguageModel> {
  if (!tokenizerFile) {
    throw new Error(`${file.name} holds no tokenizer. Choose tokenizer.json together with it.`);
  }
  const json = JSON.parse(await tokenizerFile.text()) as unknown;
  const library = (): Promise<unknown> => import('@huggingface/tokenizers');
  const tokenizer = await tokenizers.load(json, { library });
  const model = await pretrained.loadKeras(file);
  return usable({ model, tokenizer, name: file.name, lines: false, endIds: [] });
}
