/** Versions of Keras, which differ in what becomes of masks. */
import { isObject, type Json } from './json.js';

/** The version of Keras that wrote a model. */
export class KerasVersion {
  /**
   * @param major 2 or 3.
   * @param minor The second number.
   */
  constructor(
    readonly major: number,
    readonly minor: number,
  ) {}

  /**
   * Whether it is that version or a later one.
   *
   * @param major The first number.
   * @param minor The second number.
   * @returns Whether it is.
   */
  atLeast(major: number, minor: number): boolean {
    return this.major > major || (this.major === major && this.minor >= minor);
  }
}

/**
 * The version that a file names, or what can be told from its form.
 *
 * @param version As in the file: '3.15.1', '2.13.1-tf', or ''.
 * @param config The model's configuration.
 * @returns The version; the newest that is known of the family, where the file does not say.
 */
export function kerasVersionOf(version: string, config: Json): KerasVersion {
  const numbers = /^(\d+)\.(\d+)/.exec(version);
  if (numbers) return new KerasVersion(Number(numbers[1]), Number(numbers[2]));
  return looksNew(config) ? new KerasVersion(3, 15) : new KerasVersion(2, 15);
}

/** Whether a configuration has what only Keras 3 writes. */
function looksNew(config: Json): boolean {
  const inner = config.config;
  const layers: unknown = isObject(inner) ? inner.layers : undefined;
  return (Array.isArray(layers) ? layers : []).some(
    (layer) =>
      isObject(layer) &&
      ((isObject(layer.config) &&
        ('batch_shape' in layer.config || isObject(layer.config.dtype))) ||
        (Array.isArray(layer.inbound_nodes) && isObject(layer.inbound_nodes[0]))),
  );
}
