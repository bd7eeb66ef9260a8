/** Reading memory as fast as one thread of WebAssembly can: what limits everything that reads each number once. */
// 16 loads of 16 bytes in a turn, into 8 sums: loads wait for no addition, and a turn is 4 lines of cache.
const LOOP = `
export function read(start: usize, bytes: usize): i32 {
  ${[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `let s${i} = i32x4.splat(0);`).join(' ')}
  const end = start + bytes;
  for (let p = start; p < end; p += 256) {
    ${Array.from({ length: 16 }, (_, i) => `s${i % 8} = v128.xor(s${i % 8}, v128.load(p, ${16 * i}));`).join('\n')}
  }
  return i32x4.extract_lane(${[1, 2, 3, 4, 5, 6, 7].reduce((sum, i) => `v128.xor(${sum}, s${i})`, 's0')}, 0);
}`;

/**
 * Makes a function that reads that many bytes.
 *
 * @param bytes How many; more than the last cache holds.
 * @returns Reads them all, once.
 */
export async function memoryReader(bytes: number): Promise<() => number> {
  const whole = Math.ceil(bytes / 256) * 256;
  const pages = Math.ceil(whole / 65536);
  const memory = new WebAssembly.Memory({ initial: pages });
  new Int32Array(memory.buffer).fill(1); // a page that was never written has no memory behind it
  let binary: Uint8Array | undefined;
  const compiler: string = 'assemblyscript/asc'; // its types declare globals that are not Node's
  const { default: asc } = await import(compiler);
  const { error, stderr } = await asc.main(
    ['read.ts', '--outFile', 'read.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'], // prettier-ignore
    {
      readFile: (name: string) => (name === 'read.ts' ? LOOP : null),
      writeFile: (name: string, content: Uint8Array) => {
        if (name === 'read.wasm') binary = content;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
  const { read } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return () => (read as (start: number, bytes: number) => number)(0, whole);
}
