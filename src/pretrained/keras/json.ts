/** Looking into JSON that somebody else wrote. */

/** An object of JSON. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * Whether a value is an object of JSON, and no list.
 *
 * @param value Anything.
 * @returns Whether it is.
 */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The object at a key.
 *
 * @param value Anything.
 * @param key A key.
 * @returns The object, or an empty one when there is none.
 */
export function objectAt(value: unknown, key: string): Json {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
}

/**
 * The text at a key.
 *
 * @param value Anything.
 * @param key A key.
 * @returns The text, or null when there is none.
 */
export function textAt(value: unknown, key: string): string | null {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : null;
}
