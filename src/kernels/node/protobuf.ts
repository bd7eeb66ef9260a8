/**
 * The wire format of protocol buffers, as much of it as a TensorFlow graph needs: numbers, text, messages in messages.
 * (protobuf.dev/programming-guides/encoding)
 */

/** A field of a message, encoded. */
export type Field = Uint8Array;

const VARINT = 0;
const LENGTH = 2;

/**
 * A field with a whole number or a boolean.
 *
 * @param number Number of the field.
 * @param value −2⁵³ … 2⁵³.
 * @returns The field.
 */
export function integer(number: number, value: number): Field {
  return joined([varint((number << 3) | VARINT), varint(value)]);
}

/**
 * A field with text.
 *
 * @param number Number of the field.
 * @param value The text.
 * @returns The field.
 */
export function text(number: number, value: string): Field {
  return bytes(number, new TextEncoder().encode(value));
}

/**
 * A field with bytes.
 *
 * @param number Number of the field.
 * @param value The bytes.
 * @returns The field.
 */
export function bytes(number: number, value: Uint8Array): Field {
  return joined([varint((number << 3) | LENGTH), varint(value.length), value]);
}

/**
 * A field with a message.
 *
 * @param number Number of the field.
 * @param fields Its fields.
 * @returns The field.
 */
export function message(number: number, fields: readonly Field[]): Field {
  return bytes(number, joined(fields));
}

/**
 * Fields one after the other: a whole message.
 *
 * @param parts The fields.
 * @returns Their bytes.
 */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Seven bits a byte, the lowest first; negative numbers as 64 bits of two's complement. */
function varint(value: number): Uint8Array {
  const parts: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) parts.push(Number(rest & 127n) | 128);
  parts.push(Number(rest));
  return Uint8Array.from(parts);
}
