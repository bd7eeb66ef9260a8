/** A round trip through what `model.save` writes, in memory: JSON and weight bytes as a file would hold them. */
import * as tf from '@tensorflow/tfjs';

/**
 * Saves a model and loads it again.
 *
 * @param model The model.
 * @returns The model that came back.
 */
export async function saveAndLoad(model: tf.LayersModel): Promise<tf.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = JSON.parse(
        JSON.stringify({ ...saved, weightData: undefined }),
      ) as tf.io.ModelArtifacts;
      artifacts.weightData = saved.weightData;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return tf.loadLayersModel(tf.io.fromMemory(artifacts!));
}
