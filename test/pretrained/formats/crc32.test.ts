import * as fc from 'fast-check';
import { crc32, crc32ByTables } from '../../../src/pretrained/formats/crc32.js';

test('the check value of the standard', () => {
  const digits = new TextEncoder().encode('123456789');
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc32ByTables(digits)).toBe(0xcbf43926);
  expect(crc32ByTables(new Uint8Array(0))).toBe(0);
});

test('bit by bit, at any place in memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (bytes, start) => {
      const part = bytes.subarray(Math.min(start, bytes.length));
      let crc = -1;
      for (const byte of part) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
      }
      expect(crc32ByTables(part)).toBe(~crc >>> 0);
      expect(crc32(part)).toBe(~crc >>> 0);
    }),
  );
});
