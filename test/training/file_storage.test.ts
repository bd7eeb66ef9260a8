import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStorage } from '../../src/training/file_storage.js';
import { memoryStorage } from '../../src/training/storage.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'storage-'))));
afterEach(() => rm(folder, { recursive: true }));

test.each(['folder', 'memory'])('%s: writes, reads, lists, replaces, removes', async (kind) => {
  const storage = kind === 'folder' ? fileStorage(join(folder, 'a', 'b')) : memoryStorage();
  expect(await storage.list()).toEqual([]);
  await storage.write('one', Uint8Array.of(1, 2, 3));
  await storage.write('one', Uint8Array.of(4));
  await storage.write('two.bin', Uint8Array.of(5));
  expect([...(await storage.read('one'))]).toEqual([4]);
  expect((await storage.list()).sort()).toEqual(['one', 'two.bin']);
  await storage.remove('one');
  await storage.remove('one');
  expect(await storage.list()).toEqual(['two.bin']);
  await expect(storage.read('one')).rejects.toThrow('one');
});

test('a write that was interrupted is not seen', async () => {
  await writeFile(join(folder, '.one.tmp'), 'half');
  const storage = fileStorage(folder);
  expect(await storage.list()).toEqual([]);
  await storage.write('one', Uint8Array.of(1));
  expect(await readdir(folder)).toEqual(['one']);
});

test('names cannot leave the folder', async () => {
  const storage = fileStorage(folder);
  for (const name of ['../x', 'a/b', '.hidden', '']) {
    await expect(storage.write(name, new Uint8Array(1))).rejects.toThrow(
      'fileStorage: a name must be of letters',
    );
  }
  expect(() => fileStorage('')).toThrow('fileStorage: directory must be the path of a folder');
});
