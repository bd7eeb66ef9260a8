/** Opens what a Keras model was saved as, whatever it is. */
import type * as tf from '@tensorflow/tfjs-core';
import { assert } from '../../util/errors.js';
import { decodeText } from '../formats/byte_reader.js';
import { isHdf5 } from '../formats/hdf5.js';
import { checkLimits, handlerOf, MAX_BYTES, openFiles } from './source.js';
import type { KerasLimits, KerasSource } from './source.js';
import { readKerasArchive } from './read_archive.js';
import { readKerasHdf5 } from './read_hdf5.js';
import type { SavedModel } from './saved_model.js';
import { readModelJson, readHandler } from './read_model_json.js';

/**
 * Reads a model's configuration and finds its weights. The file is recognised by its content, not its name.
 *
 * @param source Where it is.
 * @param limits How much memory it may take.
 * @param where Name of the function that was called, for errors.
 * @returns The model's parts. Nothing stays open.
 * @throws Error naming the file and what is wrong with it.
 */
export async function readSavedModel(
  source: KerasSource,
  limits: KerasLimits = {},
  where = 'pretrained.loadKeras',
): Promise<SavedModel> {
  const maxBytes = checkLimits(where, limits);
  const handler = handlerOf(where, source);
  if (handler) return readHandler(where, handler, maxBytes ?? MAX_BYTES);
  const files = await openFiles(
    where,
    source as Exclude<KerasSource, tf.io.IOHandler>,
    maxBytes ?? MAX_BYTES,
  );
  try {
    const { main } = files;
    const label = `${where}: '${main.name}'`;
    assert(main.size > 0, () => `${label} is empty. Copy or download it again.`);
    const start = await main.read(0, 512);
    if (start[0] === 0x50 && start[1] === 0x4b) {
      return await readKerasArchive(label, main, maxBytes);
    }
    const whole = async (): Promise<Uint8Array> => {
      const most = maxBytes ?? MAX_BYTES;
      assert(
        main.size <= most,
        () =>
          `${label} has ${main.size} bytes, more than maxBytes=${most}. Raise maxBytes if you trust it.`,
      );
      return main.read(0, main.size);
    };
    if (isHdf5(start)) return readKerasHdf5(label, main.name, await whole());
    assert(
      /^(\uFEFF)?\s*\{/.test(new TextDecoder().decode(start)),
      () =>
        `${label} is neither a .keras file, nor HDF5, nor a model.json. In Python: model.save('model.keras').`,
    );
    const text = decodeText(label, await whole());
    return await readModelJson(label, files, text, maxBytes ?? MAX_BYTES);
  } finally {
    await files.close();
  }
}
