/** Reads numbers out of bytes that may be broken. */

/** Little-endian numbers and texts at given places, each checked to be within the bytes. */
export class ByteReader {
  private readonly view: DataView;
  private spent = 0;

  /**
   * @param label First words of every error, such as `pretrained.loadKeras: 'a.keras'`.
   * @param bytes The bytes.
   * @param kind What they should be, for errors: 'zip archive'.
   */
  constructor(
    private readonly label: string,
    private readonly bytes: Uint8Array,
    private readonly kind: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.bytes.byteLength;
  }

  /** Throws the error of a broken file. */
  broken(what: string): never {
    throw new Error(
      `${this.label} is a broken ${this.kind}: ${what}. Copy or download the file again.`,
    );
  }

  /** Throws unless what must be so is so. */
  check(condition: boolean, what: () => string): void {
    if (!condition) this.broken(what());
  }

  /**
   * Notes that bytes are used for something that only one thing of an honest file uses them for. A file in which many
   * things are made of the same bytes is small, but takes for ever to read.
   */
  spend(length: number): void {
    this.spent += length;
    this.check(
      this.spent <= 2 * this.length + 4096,
      () => `the same bytes are used for many things`,
    );
  }

  /** An unsigned number of 1 byte. */
  u8(at: number): number {
    this.within(at, 1);
    return this.view.getUint8(at);
  }

  /** An unsigned number of 2 bytes. */
  u16(at: number): number {
    this.within(at, 2);
    return this.view.getUint16(at, true);
  }

  /** An unsigned number of 4 bytes. */
  u32(at: number): number {
    this.within(at, 4);
    return this.view.getUint32(at, true);
  }

  /** An unsigned number of 8 bytes; one beyond 2^53 is rounded, and Infinity when all bits are set. */
  u64(at: number): number {
    const [low, high] = [this.u32(at), this.u32(at + 4)];
    return low === 0xffffffff && high === 0xffffffff ? Infinity : high * 2 ** 32 + low;
  }

  /** An unsigned number of 1 to 8 bytes; for 8 see `u64`. */
  unsigned(at: number, width: number): number {
    if (width === 8) return this.u64(at);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + this.u8(at + i);
    return value;
  }

  /** Bytes, as a view. */
  slice(at: number, length: number): Uint8Array {
    this.within(at, length);
    return this.bytes.subarray(at, at + length);
  }

  /** Whether the bytes at a place are those of a text of ASCII. */
  isAt(at: number, text: string): boolean {
    return (
      at >= 0 &&
      at + text.length <= this.length &&
      Array.from(text).every((letter, i) => this.bytes[at + i] === letter.charCodeAt(0))
    );
  }

  /** A text of UTF-8. */
  text(at: number, length: number): string {
    return decodeText(this.label, this.slice(at, length));
  }

  private within(at: number, length: number): void {
    this.check(
      at >= 0 && length >= 0 && at + length <= this.length,
      () => `it refers to bytes ${at} to ${at + length} of ${this.length}`,
    );
  }
}

/**
 * Bytes of UTF-8 as a text.
 *
 * @param label First words of the error.
 * @param bytes The bytes.
 * @returns The text.
 * @throws Error when they are no UTF-8.
 */
export function decodeText(label: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${label} holds a text that is not UTF-8. Copy or download the file again.`, {
      cause,
    });
  }
}
