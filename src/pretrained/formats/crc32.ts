/** The checksum of zip archives. */

/** What is used of `node:zlib`; `crc32` is there from Node 20.15 on. */
interface Zlib {
  /** The checksum. */
  crc32?: (bytes: Uint8Array) => number;
}

/** 16 tables of 256: table k is the checksum's change by a byte that k more bytes follow. */
let tables: Int32Array | undefined;

/**
 * CRC-32 (ISO 3309, polynomial 0xEDB88320): Node's own where there is one, else `crc32ByTables`.
 *
 * @param bytes The bytes.
 * @returns The checksum, 0 to 2^32 − 1.
 */
export function crc32(bytes: Uint8Array): number {
  const builtin =
    typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function'
      ? (process.getBuiltinModule('node:zlib') as Zlib | undefined)?.crc32
      : undefined;
  return builtin ? builtin(bytes) : crc32ByTables(bytes);
}

/**
 * The same in JavaScript: 16 bytes a step ("slicing by 16", after Kounavis and Berry 2005), read as four words of
 * little-endian, as every machine has them that runs JavaScript.
 *
 * @param bytes The bytes.
 * @returns The checksum, 0 to 2^32 − 1.
 */
export function crc32ByTables(bytes: Uint8Array): number {
  const t = (tables ??= makeTables());
  let crc = -1;
  let i = 0;
  for (const start = Math.min(bytes.length, -bytes.byteOffset & 3); i < start; i++)
    crc = t[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  const steps = (bytes.length - i) >> 4;
  // Less than a step may not have come to a multiple of 4.
  const words = new Int32Array(bytes.buffer, steps === 0 ? 0 : bytes.byteOffset + i, 4 * steps);
  for (let w = 0; w < words.length; w += 4) {
    const a = crc ^ words[w];
    const b = words[w + 1];
    const c = words[w + 2];
    const d = words[w + 3];
    crc =
      t[3840 + (a & 255)] ^
      t[3584 + ((a >>> 8) & 255)] ^
      t[3328 + ((a >>> 16) & 255)] ^
      t[3072 + (a >>> 24)] ^
      t[2816 + (b & 255)] ^
      t[2560 + ((b >>> 8) & 255)] ^
      t[2304 + ((b >>> 16) & 255)] ^
      t[2048 + (b >>> 24)] ^
      t[1792 + (c & 255)] ^
      t[1536 + ((c >>> 8) & 255)] ^
      t[1280 + ((c >>> 16) & 255)] ^
      t[1024 + (c >>> 24)] ^
      t[768 + (d & 255)] ^
      t[512 + ((d >>> 8) & 255)] ^
      t[256 + ((d >>> 16) & 255)] ^
      t[d >>> 24];
  }
  for (i += words.length * 4; i < bytes.length; i++) crc = t[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const all = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    all[byte] = crc;
  }
  for (let at = 256; at < all.length; at++)
    all[at] = all[all[at - 256] & 255] ^ (all[at - 256] >>> 8);
  return all;
}
