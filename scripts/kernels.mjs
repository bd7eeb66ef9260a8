// Compiles the kernels of src/kernels/wasm/assembly into src/kernels/wasm/binary.ts, when they have changed.
import asc from 'assemblyscript/asc';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'src/kernels/wasm');
const output = join(folder, 'binary.ts');
const limit = 100_000; // bytes, gzipped: what a page may have to load

const hash = createHash('sha256');
hash.update(createRequire(import.meta.url)('assemblyscript/package.json').version);
hash.update(readFileSync(fileURLToPath(import.meta.url)));
for (const file of readdirSync(join(folder, 'assembly')).sort()) {
  hash.update(file).update(readFileSync(join(folder, 'assembly', file)));
}
const stamp = `// Made by scripts/kernels.mjs from assembly/ (${hash.digest('hex').slice(0, 16)}). Not for editing.`;

if (!existsSync(output) || !readFileSync(output, 'utf8').startsWith(stamp)) {
  const plain = await compile([]);
  const relaxed = await compile(['--enable', 'relaxed-simd']);
  writeFileSync(
    output,
    `${stamp}

/** What the module exports: one function a kernel; pointers are byte offsets into the backend's memory. */
export interface Exports extends WebAssembly.Exports {
${plain.signatures.map((line) => `  ${line}`).join('\n')}
}

/** The build for every engine that has SIMD, in base64. */
export const simd =
  '${plain.binary.toString('base64')}';

/** The build for engines that have relaxed SIMD (fused multiply-add), in base64. */
export const relaxedSimd =
  '${relaxed.binary.toString('base64')}';
`,
  );
  const size = ({ binary }) => `${(gzipSync(binary).length / 1000).toFixed(1)} kB`;
  console.error(`kernels: compiled, gzipped ${size(plain)} (SIMD) and ${size(relaxed)} (relaxed).`);
}

/** One build: the module's bytes and the TypeScript signatures of its functions. */
async function compile(flags) {
  const files = new Map();
  const { error, stderr } = await asc.main(
    [
      ...['assembly/index.ts', '--outFile', 'out.wasm', '--bindings', 'raw'],
      // The module lives in the memory of TensorFlow.js: no data, no stack, no allocator of its own.
      ...[
        '--textFile',
        'out.wat',
        '-O3',
        '--noAssert',
        '--runtime',
        'stub',
        '--importMemory',
        '--use',
        'abort=',
      ],
      ...['--enable', 'simd', ...flags],
    ],
    {
      readFile: (name, base) => {
        const path = join(folder, base.replace(folder, ''), name);
        // A decorator on a function is AssemblyScript, but not TypeScript: the sources have a comment instead.
        return existsSync(path)
          ? readFileSync(path, 'utf8').replace(/^\/\/ @inline$/gm, '@inline')
          : null;
      },
      writeFile: (name, contents) => void files.set(name, contents),
      listFiles: () => [],
    },
  );
  if (error) {
    console.error(`kernels: the assembly does not compile.\n${stderr.toString()}`);
    process.exit(1);
  }
  const binary = Buffer.from(files.get('out.wasm'));
  if (/^ \(data /m.test(files.get('out.wat')))
    throw new Error('kernels: the module has static data.');
  if (gzipSync(binary).length > limit)
    throw new Error(`kernels: more than ${limit} bytes gzipped.`);
  const signatures = [...files.get('out.d.ts').matchAll(/export function (.*;)/g)].map(
    ([, s]) => s,
  );
  return { binary, signatures };
}
