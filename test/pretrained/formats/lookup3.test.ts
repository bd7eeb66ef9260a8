import { lookup3 } from '../../../src/pretrained/formats/lookup3.js';
import { readFixtureFile } from '../../support/fixture_files.js';

test('the values that its author gives', () => {
  expect(lookup3([])).toBe(0xdeadbeef);
  expect(lookup3(new TextEncoder().encode('Four score and seven years ago'))).toBe(0x17770551);
});

test('the checksum that HDF5 put behind a superblock', () => {
  const file = readFixtureFile('keras_files/newer.h5');
  const stored = new DataView(file.buffer, file.byteOffset).getUint32(44, true);
  expect(lookup3(file.subarray(0, 44))).toBe(stored);
});
