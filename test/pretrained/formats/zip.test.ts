import { zipSync, type Zippable } from 'fflate';
import { memorySource } from '../../../src/pretrained/formats/byte_source.js';
import { readZipDirectory, readZipMember } from '../../../src/pretrained/formats/zip.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const LONG = text('attention '.repeat(1000));

/** Unpacks all members. */
async function unzip(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  const source = memorySource('a.zip', bytes);
  const members = await readZipDirectory('a.zip', source);
  const all: Record<string, Uint8Array> = {};
  for (const [name, member] of members) all[name] = await readZipMember('a.zip', source, member);
  return all;
}

/** An archive of one member, with numbers of its entry in the directory (and header) replaced. */
function forged(
  changes: {
    directory?: [at: number, width: number, value: number][];
    header?: [number, number, number][];
    end?: [number, number, number][];
  },
  files: Zippable = { 'a.txt': LONG },
): Uint8Array {
  const bytes = zipSync(files);
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  const put = (base: number, all: [number, number, number][] = []): void => {
    for (const [at, width, value] of all) {
      if (width === 1) view.setUint8(base + at, value);
      else if (width === 2) view.setUint16(base + at, value, true);
      else view.setUint32(base + at, value, true);
    }
  };
  put(view.getUint32(end + 16, true), changes.directory);
  put(0, changes.header);
  put(end, changes.end);
  return bytes;
}

test('stored and deflated members, empty ones and folders', async () => {
  const files: Zippable = {
    'a.txt': LONG,
    'b/c.txt': [text('x'), { level: 0 }],
    'd/': new Uint8Array(0),
    e: new Uint8Array(0),
  };
  const all = await unzip(zipSync(files));
  expect(Object.keys(all)).toEqual(['a.txt', 'b/c.txt', 'e']);
  expect(Buffer.from(all['a.txt']).equals(Buffer.from(LONG))).toBe(true);
  expect(Array.from(all['b/c.txt'])).toEqual([120]);
  expect(all.e.length).toBe(0);
});

test('stored members of memory are views', async () => {
  const bytes = zipSync({ a: [LONG, { level: 0 }] });
  expect((await unzip(bytes)).a.buffer).toBe(bytes.buffer);
});

test('a comment behind the directory', async () => {
  const bytes = new Uint8Array([...forged({ end: [[20, 2, 3]] }), 1, 2, 3]);
  expect(Object.keys(await unzip(bytes))).toEqual(['a.txt']);
});

test('an archive that is cut off, or no archive', async () => {
  const bytes = zipSync({ a: LONG });
  for (const length of [0, 10, bytes.length - 1]) {
    await expect(unzip(bytes.subarray(0, length))).rejects.toThrow(
      'a.zip is cut off: a zip archive ends with its directory. Copy or download it again.',
    );
  }
});

const cases: [string, Uint8Array, RegExp][] = [
  ['encrypted', forged({ directory: [[8, 2, 1]] }), /^a\.zip: member 'a\.txt' is encrypted\./],
  [
    'zip64',
    forged({ end: [[16, 4, 0xffffffff]] }),
    /^a\.zip is a zip64 archive, for more than 4 GiB/,
  ],
  [
    'zip64 entry',
    forged({ directory: [[24, 4, 0xffffffff]] }),
    /^a\.zip: member 'a\.txt' has a zip64 header/,
  ],
  ['several parts', forged({ end: [[4, 2, 1]] }), /it is one of several parts/],
  ['directory elsewhere', forged({ end: [[16, 4, 5]] }), /its directory is not where it should be/],
  [
    'more entries than there are',
    forged({ end: [[10, 2, 9]] }),
    /it refers to bytes|entry 1 of its directory is none/,
  ],
  [
    'fewer entries',
    forged({ end: [[10, 2, 0]] }),
    /its directory has \d+ bytes, of which 0 are used/,
  ],
  [
    'unknown method',
    forged({ directory: [[10, 2, 14]], header: [[8, 2, 14]] }),
    /member 'a\.txt' is packed by method 14/,
  ],
  ['two methods', forged({ directory: [[10, 2, 0]] }), /member 'a\.txt' has two methods/],
  ['no header', forged({ header: [[0, 4, 0]] }), /member 'a\.txt' is not where it should be/],
  [
    'wrong checksum',
    forged({ directory: [[16, 4, 1]] }),
    /the checksum of member 'a\.txt' is wrong/,
  ],
  [
    'fewer bytes than it has',
    forged({ directory: [[24, 4, 50]] }),
    /member 'a\.txt' has more than 50 bytes/,
  ],
  [
    'more bytes than it has',
    forged({ directory: [[24, 4, 10001]] }),
    /must have 10001 bytes, got 10000/,
  ],
  [
    'more bytes than it can have',
    forged({ directory: [[24, 4, 2e9]] }),
    /cannot have 2000000000 bytes/,
  ],
  [
    'packed bytes behind the end',
    forged({ directory: [[20, 4, 1e6]] }),
    /member 'a\.txt' overlaps what follows it/,
  ],
  [
    'broken packed bytes',
    forged({ header: [[35, 1, 0xff]] }),
    /member 'a\.txt' (cannot be unpacked|must have)/,
  ],
];
test.each(cases)('%s', async (_, bytes, message) => {
  await expect(unzip(bytes)).rejects.toThrow(message);
});

test('two members that share bytes', async () => {
  const bytes = forged({}, { a: LONG, b: LONG });
  const view = new DataView(bytes.buffer);
  const start = view.getUint32(bytes.length - 22 + 16, true);
  view.setUint32(start + 46 + 1 + 42, 0, true); // b begins where a does
  await expect(unzip(bytes)).rejects.toThrow("member 'a' overlaps what follows it");
});

test('a name twice', async () => {
  const bytes = zipSync({ aa: LONG, ab: LONG });
  const directory = new DataView(bytes.buffer).getUint32(bytes.length - 22 + 16, true);
  bytes[directory + 46 + 2 + 46 + 1] = 'a'.charCodeAt(0);
  await expect(unzip(bytes)).rejects.toThrow(
    "a.zip: member 'aa' occurs twice. Save the model again.",
  );
});

test.each(['../x', 'a/../../x', '/etc/passwd', 'C:/x', 'a\\b', '..', 'a\0b', 'http://x'])(
  'the name %j leads out of the archive',
  async (name) => {
    await expect(unzip(zipSync({ [name]: LONG }))).rejects.toThrow(
      /outside of its folder\. Don't use it\./,
    );
  },
);

test('a bomb stops when it has as many bytes as it said', async () => {
  // 16 MB of zeros in 16 kB, which claim to be 1 MB.
  const bytes = forged(
    { directory: [[24, 4, 2 ** 20]] },
    { 'a.txt': [new Uint8Array(2 ** 24), { level: 9 }] },
  );
  const before = process.memoryUsage().arrayBuffers;
  await expect(unzip(bytes)).rejects.toThrow("member 'a.txt' has more than 1048576 bytes");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 28);
});
