/** Every saved model of the fixtures, from a `File`, as a page gets it from its user. Runs in the browser too. */
import * as pretrained from '../../../src/pretrained/index.js';
import { describeBackends } from '../../support/backends.js';
import { loadFixtures } from '../../support/fixtures.js';
import {
  customObjects,
  expectPredictions,
  fixtureAsFile,
  KERAS_KINDS,
} from '../../support/keras_models.js';

describeBackends('Keras models from a File', () => {
  for (const kind of KERAS_KINDS) {
    for (const fixture of loadFixtures(kind)) {
      const { files, refused } = fixture.parameters as {
        files: Record<string, string>;
        refused?: string[];
      };
      for (const format of ['keras', 'h5', 'deflated', 'keras2']) {
        if (!(format in files)) continue;
        test(`${kind} ${files[format]}`, async () => {
          const file = fixtureAsFile(kind, files[format]);
          if (refused) {
            const error = (await pretrained.loadKeras(file).catch((e: unknown) => e)) as Error;
            for (const name of refused) expect(error.message).toContain(`${name} (`);
            return;
          }
          const model = await pretrained.loadKeras(file, { customObjects });
          expectPredictions(model, fixture);
          model.dispose();
        });
      }
    }
  }
});
