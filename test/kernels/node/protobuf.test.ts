import { bytes, integer, joined, message, text } from '../../../src/kernels/node/protobuf.js';

// The examples of protobuf.dev/programming-guides/encoding.
test('fields are encoded as the format says', () => {
  expect([...integer(1, 150)]).toEqual([0x08, 0x96, 0x01]);
  expect([...integer(1, -2)]).toEqual([0x08, 0xfe, ...Array<number>(8).fill(0xff), 0x01]);
  expect([...text(2, 'testing')]).toEqual([0x12, 0x07, ...Buffer.from('testing')]);
  expect([...message(3, [integer(1, 150)])]).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01]);
  expect([...message(3, [])]).toEqual([0x1a, 0x00]);
});

test('text is UTF-8, and lengths beyond 127 take two bytes', () => {
  expect([...text(1, 'é')]).toEqual([0x0a, 0x02, 0xc3, 0xa9]);
  const long = bytes(1, new Uint8Array(300));
  expect([...long.subarray(0, 3)]).toEqual([0x0a, 0xac, 0x02]);
  expect(long).toHaveLength(303);
});

test('numbers of fields beyond 15 take two bytes', () => {
  expect([...integer(16, 1)]).toEqual([0x80, 0x01, 0x01]);
});

test('messages are their fields one after the other', () => {
  expect([...joined([integer(1, 1), integer(2, 2)])]).toEqual([0x08, 0x01, 0x10, 0x02]);
  expect(joined([])).toHaveLength(0);
});
