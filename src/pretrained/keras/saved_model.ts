/** A Keras model as it lies in a file, whatever the file: its configuration as parsed JSON, its weights by name. */

/** An array of a file. Its bytes are looked at when `values` is called. */
export interface StoredArray {
  /**
   * How it is stored: 'float32', 'float64', 'float16', 'bfloat16', 'int8' … 'int64', 'uint8' … 'uint64', 'bool',
   * 'string', 'complex64', or a description of something else.
   */
  readonly dtype: string;
  /** What `values` gives, named as TensorFlow.js does; null: it cannot be read, and `values` throws. */
  readonly tensorType: 'float32' | 'int32' | 'bool' | null;
  /** Its shape; [] for a scalar. */
  readonly shape: readonly number[];
  /**
   * Its elements, row by row: Float32Array for 'float32', Int32Array for 'int32', Uint8Array of 0 and 1 for 'bool'.
   * May be a view of the file's bytes: not to be written to, and to be copied by who wants the file's memory freed.
   *
   * @throws Error when an integer does not fit into 32 bits.
   */
  values(): Float32Array | Int32Array | Uint8Array;
}

/** What a file holds of a model. */
export interface SavedModel {
  /** What the file is, for errors: the path, the URL or the name of the `File`. */
  readonly name: string;
  /** A `.keras` archive, an HDF5 file of Keras 2 or 3, or a `model.json` with weights. */
  readonly format: 'keras' | 'h5' | 'tfjs';
  /** The version of Keras that wrote it, as '3.15.1' or '2.13.1'; '' when the file does not say. */
  readonly kerasVersion: string;
  /** The model's configuration: `{class_name, config, …}`. No object in it has a key `__proto__`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Loss, optimizer and metrics that it was compiled with (HDF5 and `model.json`; a `.keras` has `config.compile_config`). */
  readonly trainingConfig?: Readonly<Record<string, unknown>>;
  /**
   * Its weights. Names as stored: 'layers/dense/vars/0' in a `.keras`, optimizer's among them; the name of the layer and
   * that of the weight in HDF5 ('dense/dense/kernel', 'dense_1/dense_1/kernel:0'); the manifest's in a `model.json`.
   */
  readonly weights: ReadonlyMap<string, StoredArray>;
  /** HDF5: the names of each layer's weights, in the order of its variables; `weights` has them as `layer/name`. */
  readonly layerWeightNames?: ReadonlyMap<string, readonly string[]>;
  /**
   * `.keras`: the names that layers had, by the path of their weights: 'layers/dense_1' → 'ff_in_0'; '' is the model.
   * Files of older versions have none.
   */
  readonly groupNames?: ReadonlyMap<string, string>;
}
