/**
 * Reads zip archives (PKWARE's APPNOTE 6.3.10): stored and deflated members, no encryption, no zip64. The directory is
 * checked before anything is unpacked: nothing in it is taken at its word.
 */
import { assert } from '../../util/errors.js';
import { ByteReader } from './byte_reader.js';
import type { ByteSource } from './byte_source.js';
import { crc32 } from './crc32.js';

/** A file in an archive. */
export interface ZipMember {
  /** Its name, a relative path with '/'. */
  readonly name: string;
  /** How many bytes it has, unpacked. */
  readonly size: number;
  /** How many it takes in the archive. */
  readonly packedSize: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** Checksum of its bytes. */
  readonly crc: number;
  /** Where its header is. */
  readonly offset: number;
}

const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const KIND = 'zip archive';
/** No deflated bytes unpack to more than 1032 times their number. */
const MOST_EXPANSION = 1032;

/**
 * Reads the directory of an archive.
 *
 * @param label First words of every error.
 * @param source The archive.
 * @returns Its members by name. None is a folder.
 * @throws Error when it is broken, cut off, encrypted or zip64, or a name occurs twice or leads out of the archive.
 */
export async function readZipDirectory(
  label: string,
  source: ByteSource,
): Promise<Map<string, ZipMember>> {
  const tailLength = Math.min(source.size, 22 + 65535);
  const tail = new ByteReader(label, await source.read(source.size - tailLength, tailLength), KIND);
  let end = tail.length - 22;
  while (end >= 0 && !(tail.u32(end) === END && end + 22 + tail.u16(end + 20) === tail.length))
    end--;
  assert(
    end >= 0,
    () => `${label} is cut off: a zip archive ends with its directory. Copy or download it again.`,
  );
  const [disks, count] = [tail.u16(end + 4) + tail.u16(end + 6), tail.u16(end + 10)];
  const [size, start] = [tail.u32(end + 12), tail.u32(end + 16)];
  assert(
    count !== 0xffff && size !== 0xffffffff && start !== 0xffffffff,
    () => `${label} is a zip64 archive, for more than 4 GiB, which is not supported. ${ADVICE_H5}`,
  );
  tail.check(disks === 0, () => 'it is one of several parts');
  tail.check(
    start + size === source.size - tail.length + end,
    () => 'its directory is not where it should be',
  );
  const directory = new ByteReader(label, await source.read(start, size), KIND);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    directory.check(directory.u32(at) === CENTRAL, () => `entry ${i} of its directory is none`);
    const nameLength = directory.u16(at + 28);
    const name = directory.text(at + 46, nameLength);
    const member = {
      name,
      method: directory.u16(at + 10),
      crc: directory.u32(at + 16),
      packedSize: directory.u32(at + 20),
      size: directory.u32(at + 24),
      offset: directory.u32(at + 42),
    };
    assert(
      (directory.u16(at + 8) & 0x2041) === 0,
      () => `${label}: member '${name}' is encrypted. Make an archive without a password.`,
    );
    assert(
      ![member.packedSize, member.size, member.offset].includes(0xffffffff),
      () => `${label}: member '${name}' has a zip64 header, which is not supported. ${ADVICE_H5}`,
    );
    assert(
      !members.has(name),
      () => `${label}: member '${name}' occurs twice. Save the model again.`,
    );
    checkPath(label, name);
    if (!name.endsWith('/')) members.set(name, member);
    at += 46 + nameLength + directory.u16(at + 30) + directory.u16(at + 32);
  }
  directory.check(at === size, () => `its directory has ${size} bytes, of which ${at} are used`);
  checkOverlaps(label, [...members.values()], start);
  return members;
}

const ADVICE_H5 = `In Python, save the weights in parts, or the model without its optimizer.`;

/**
 * Refuses a path that leads out of its folder.
 *
 * @param label First words of the error.
 * @param path A path that came in a file.
 */
export function checkPath(label: string, path: string): void {
  const hostile =
    path === '' ||
    /^[/\\]|^[a-z][a-z\d+.-]*:|[\\\0]/i.test(path) ||
    path.split('/').some((part) => part === '..');
  assert(
    !hostile,
    () =>
      `${label} names a file ${JSON.stringify(path.slice(0, 60))}, outside of its folder. Don't use it.`,
  );
}

/** Members that share bytes are how a small archive becomes a huge one (D. Fifield, 2019). */
function checkOverlaps(label: string, members: ZipMember[], directoryStart: number): void {
  const sorted = members.sort((a, b) => a.offset - b.offset);
  sorted.forEach((member, i) => {
    const next = sorted[i + 1]?.offset ?? directoryStart;
    assert(
      member.offset + 30 + member.packedSize <= next,
      () =>
        `${label} is a broken ${KIND}: member '${member.name}' overlaps what follows it. Save the model again.`,
    );
  });
}

/**
 * Reads a member and checks its checksum. Stored members of a file are read once, and not copied.
 *
 * @param label First words of every error.
 * @param source The archive.
 * @param member The member.
 * @returns Its bytes.
 * @throws Error when it does not hold what the directory says.
 */
export async function readZipMember(
  label: string,
  source: ByteSource,
  member: ZipMember,
): Promise<Uint8Array> {
  const { name, size, packedSize, method } = member;
  const header = new ByteReader(label, await source.read(member.offset, 30), KIND);
  header.check(header.u32(0) === LOCAL, () => `member '${name}' is not where it should be`);
  header.check(header.u16(8) === method, () => `member '${name}' has two methods`);
  const start = member.offset + 30 + header.u16(26) + header.u16(28);
  header.check(start + packedSize <= source.size, () => `member '${name}' goes on after the end`);
  const packed = await source.read(start, packedSize);
  assert(
    method === 0 || method === 8,
    () =>
      `${label}: member '${name}' is packed by method ${method}. Save the model again with Keras.`,
  );
  const unpacked = method === 0 ? packed : await inflate(label, member, packed);
  header.check(
    unpacked.length === size,
    () => `member '${name}' must have ${size} bytes, got ${unpacked.length}`,
  );
  header.check(crc32(unpacked) === member.crc, () => `the checksum of member '${name}' is wrong`);
  return unpacked;
}

async function inflate(label: string, member: ZipMember, packed: Uint8Array): Promise<Uint8Array> {
  const { name, size } = member;
  const broken = (what: string, cause?: unknown): Error =>
    new Error(
      `${label} is a broken ${KIND}: member '${name}' ${what}. Copy or download the file again.`,
      { cause },
    );
  // Before memory is taken for it.
  if (size > MOST_EXPANSION * packed.length + 64) throw broken(`cannot have ${size} bytes`);
  const { Inflate } = await import('fflate');
  const out = new Uint8Array(size);
  let at = 0;
  let ended = false;
  const stream = new Inflate((chunk, final) => {
    if (at + chunk.length > size) throw broken(`has more than ${size} bytes`);
    out.set(chunk, at);
    at += chunk.length;
    ended = final;
  });
  // In pieces, so that one that unpacks to more than it says is stopped early.
  const step = 2 ** 16;
  for (let from = 0; from < packed.length; from += step) {
    try {
      stream.push(packed.subarray(from, from + step), from + step >= packed.length);
    } catch (cause) {
      if (cause instanceof Error && cause.message.startsWith(label)) throw cause;
      throw broken(`cannot be unpacked (${(cause as Error).message})`, cause);
    }
  }
  if (!ended || at !== size) throw broken(`must have ${size} bytes, got ${at}`);
  return out;
}
