/** JSON of a file that may be hostile, or written by Python. */
import { assert } from '../../util/errors.js';

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** Configurations nest ten or twenty deep; what walks over them should not have to fear more. */
const DEEPEST = 500;

/**
 * Parses an object. `Infinity` and `-Infinity` are taken, because Python writes them.
 *
 * @param label First words of every error.
 * @param text The text.
 * @returns The object.
 * @throws Error when it is no JSON, no object, nested too deep, or has a key `__proto__`.
 */
export function parseJsonObject(label: string, text: string): JsonObject {
  assert(isShallow(text), () => `${label} is nested more than ${DEEPEST} deep. Don't use it.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (first) {
    try {
      // Outside of strings; a number too large is Infinity.
      value = JSON.parse(
        text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|\bInfinity\b/g, (token) =>
          token === 'Infinity' ? '1e999' : token,
        ),
      );
    } catch {
      throw new Error(
        `${label} is not JSON (${(first as Error).message.slice(0, 80)}). Copy or save the file again.`,
        { cause: first },
      );
    }
  }
  assert(isObject(value), () => `${label} must hold a JSON object. Copy or save the file again.`);
  checkKeys(label, value);
  return value;
}

/**
 * Whether a value is an object with keys.
 *
 * @param value Anything.
 * @returns False for arrays and null.
 */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Refuses keys that would change the prototype of an object that they are copied to.
 *
 * @param label First words of the error.
 * @param value What was parsed.
 */
export function checkKeys(label: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  assert(
    !Object.hasOwn(value, '__proto__'),
    () => `${label} has a key '__proto__', which no model has. Don't use it.`,
  );
  for (const inner of Object.values(value)) checkKeys(label, inner);
}

/** Counts brackets outside of strings. */
function isShallow(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (inString) {
      if (letter === '\\') i++;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === '{' || letter === '[') {
      if (++depth > DEEPEST) return false;
    } else if (letter === '}' || letter === ']') depth--;
  }
  return true;
}
