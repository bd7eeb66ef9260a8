/** Compiles a few lines of AssemblyScript: the loops that benchmarks compare with. */

/**
 * Compiles and instantiates.
 *
 * @param source AssemblyScript.
 * @param options `relaxed`: with fused multiply-add; `memory`: the memory to work in, none by default.
 * @returns What it exports.
 */
export async function assemble(
  source: string,
  { relaxed = false, memory }: { relaxed?: boolean; memory?: WebAssembly.Memory } = {},
): Promise<Record<string, (...args: number[]) => number>> {
  let binary: Uint8Array | undefined;
  const compiler: string = 'assemblyscript/asc'; // its types declare globals that are not Node's
  const { default: asc } = await import(compiler);
  const { error, stderr } = await asc.main(
    [
      ...['loop.ts', '--outFile', 'loop.wasm', '-O3', '--noAssert', '--runtime', 'stub'],
      ...(memory ? ['--importMemory'] : []),
      ...['--enable', 'simd', ...(relaxed ? ['--enable', 'relaxed-simd'] : [])],
    ],
    {
      readFile: (name: string) => (name === 'loop.ts' ? source : null),
      writeFile: (name: string, content: Uint8Array) => {
        if (name === 'loop.wasm') binary = content;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, memory ? { env: { memory } } : {});
  return exports as Record<string, (...args: number[]) => number>;
}
