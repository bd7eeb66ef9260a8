/** Whole models of Keras in test/fixtures, run and compared. */
import * as tf from '@tensorflow/tfjs';
import { readFixtureFile } from './fixture_files.js';
import type { FixtureCase } from './fixtures.js';

/** Folders of test/fixtures that hold models. */
export const KERAS_KINDS = ['keras_models', 'keras_models_more'] as const;

/** The layer of the fixture custom_layer: tanh(x·scale)·amplitude. */
class ScaledTanh extends tf.layers.Layer {
  static readonly className = 'ScaledTanh';
  private readonly amplitude: number;
  private scale: tf.LayerVariable | null = null;

  constructor({ amplitude, ...rest }: { amplitude: number; name?: string }) {
    super(rest);
    this.amplitude = amplitude;
  }

  override build(shape: tf.Shape): void {
    this.scale = this.addWeight(
      'scale',
      [shape[shape.length - 1]!],
      'float32',
      tf.initializers.ones(),
    );
    super.build(shape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    return tf.tidy(() => tf.mul(tf.tanh(tf.mul(x, this.scale!.read())), this.amplitude));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), amplitude: this.amplitude };
  }
}

/** What the fixtures need besides the layers of Keras. */
export const customObjects = { 'my_package>ScaledTanh': ScaledTanh };

/**
 * A file of a case, as what a page gets from an input element.
 *
 * @param kind Folder under test/fixtures.
 * @param name The file in it.
 * @returns The file.
 */
export function fixtureAsFile(kind: string, name: string): File {
  const bytes = new Uint8Array(readFixtureFile(`${kind}/${name}`));
  return new File([bytes], name.slice(name.lastIndexOf('/') + 1));
}

/**
 * Runs a model on the inputs of a case, each given by its name.
 *
 * @param model The model.
 * @param fixture The case.
 * @returns The outputs by the names of the case.
 */
export function predictCase(model: tf.LayersModel, fixture: FixtureCase): Map<string, tf.Tensor> {
  const expected = fixture.parameters.outputs as string[];
  const outputs = tf.tidy(() => {
    const inputs = model.inputNames.map((name) => fixture.tensor(name));
    return [model.predict(inputs)].flat();
  });
  // Formats without names of outputs keep their order.
  const named = expected.every((name) => model.outputNames.includes(name));
  return new Map(
    expected.map((name, i) => [name, outputs[named ? model.outputNames.indexOf(name) : i]]),
  );
}

/**
 * Asserts that a model predicts what Python predicted.
 *
 * @param model The model.
 * @param fixture The case.
 */
export function expectPredictions(model: tf.LayersModel, fixture: FixtureCase): void {
  for (const [name, output] of predictCase(model, fixture)) {
    fixture.expect(`expected/${name}`, output);
    output.dispose();
  }
}
