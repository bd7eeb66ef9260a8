import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles, replaceFile, type Files } from '../../src/util/node_files.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'files-'))));
afterEach(() => rm(folder, { recursive: true }));

test('a file is replaced', async () => {
  const files = await nodeFiles('test', '');
  for (const text of ['first', 'second']) {
    await replaceFile(files, join(folder, 'a.bin'), new TextEncoder().encode(text));
    expect(await readFile(join(folder, 'a.bin'), 'utf8')).toBe(text);
  }
  expect(await readdir(folder)).toEqual(['a.bin']);
});

test('where it fails, the old file stays and nothing is left behind', async () => {
  const real = await nodeFiles('test', '');
  const path = join(folder, 'a.bin');
  await replaceFile(real, path, Uint8Array.of(1));
  const failing: Files = {
    ...real,
    open: async (name, flags) => {
      const file = await real.open(name, flags);
      return {
        writeFile: async (bytes) => {
          await file.writeFile(bytes.subarray(0, 1));
          throw new Error('disk full');
        },
        read: (...all) => file.read(...all),
        stat: () => file.stat(),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };
  await expect(replaceFile(failing, path, Uint8Array.of(2, 3))).rejects.toThrow('disk full');
  expect(Array.from(await readFile(path))).toEqual([1]);
  expect(await readdir(folder)).toEqual(['a.bin']);
});
