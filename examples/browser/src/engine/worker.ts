/**
 * The worker: everything that computes is here, so that the page stays responsive. It has one backend for its whole
 * life; for another backend the page starts another worker.
 */
import { training } from 'tfjs-transformers';
import { measureStep, startBackend } from './backend.js';
import { write } from './generate.js';
import { browserStorage, clear } from './indexed_db.js';
import { infoOf, loadModel, saveModel, type LanguageModel } from './language_model.js';
import { readModel } from './load_files.js';
import type { EngineEvent, EngineMethods } from './protocol.js';
import { answerCalls, tell as post } from './remote.js';
import { forgetRun, TrainingRun, unfinishedRun } from './train.js';

const storage = browserStorage('model');
const tell = (event: EngineEvent): void => post(event);

let current: LanguageModel | null = null;
let run: TrainingRun | null = null;
let writing: { abort: AbortController; ended: Promise<unknown> } | null = null;

answerCalls<EngineMethods>({
  start: startBackend,
  measure: measureStep,

  async restore() {
    try {
      await loadKept();
      return await unfinishedRun();
    } catch (error) {
      tell({ type: 'not-kept', reason: (error as Error).message });
      return null;
    }
  },

  async train(given) {
    if (run) throw new Error('A model is in training already.');
    const unfinished = given ? null : await unfinishedRun();
    const settings = given ?? unfinished?.settings;
    if (!settings) throw new Error('There is no run to go on with.');
    run = new TrainingRun(settings, tell, keep); // throws before the old model is given up
    try {
      await replace(run.language);
      return await run.train(unfinished);
    } catch (error) {
      await loadKept(); // the model in training may be spoilt
      throw error;
    } finally {
      run = null;
    }
  },
  pause: () => run?.hold('pause'),
  resume: () => run?.release('pause'),
  stop: () => run?.stop(),

  async generate(settings) {
    if (!current) throw new Error('There is no model yet: train one, or load one.');
    await stopWriting();
    const abort = new AbortController();
    run?.hold('writing'); // else the weights would change under it
    const ended = write(current, settings, abort.signal, tell);
    writing = { abort, ended };
    try {
      return await ended;
    } finally {
      writing = null;
      run?.release('writing');
    }
  },
  stopGenerating: () => writing?.abort.abort(),

  async importModel(files) {
    if (run) throw new Error('A model is in training: stop that first.');
    const model = await readModel(files); // throws before the old model is given up
    await replace(model);
    await keep(model);
  },
  async exportModel() {
    if (!current) throw new Error('There is no model yet: train one, or load one.');
    const files = training.memoryStorage();
    await saveModel(current, files);
    return Promise.all(
      (await files.list()).map(async (name) => ({
        name,
        bytes: new Uint8Array(await files.read(name)),
      })),
    );
  },
  async forget() {
    await replace(null);
    await clear(storage);
    await forgetRun();
  },
});

/** Puts another model in the place of the loaded one. */
async function replace(next: LanguageModel | null): Promise<void> {
  await stopWriting();
  current?.model.dispose();
  current = next;
  tell({ type: 'model', model: next && infoOf(next) });
}

/** Loads the model that this browser keeps, if it does. */
async function loadKept(): Promise<void> {
  if ((await storage.list()).includes('model.json')) await replace(await loadModel(storage));
}

async function stopWriting(): Promise<void> {
  writing?.abort.abort();
  await writing?.ended.catch(() => undefined);
}

/** Keeps a model in this browser; where that is not possible, everything else goes on. */
async function keep(model: LanguageModel): Promise<void> {
  try {
    await saveModel(model, storage);
  } catch (error) {
    tell({ type: 'not-kept', reason: (error as Error).message });
  }
}
