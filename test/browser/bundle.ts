/** Bundles the test files for a page. */
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What a page has its own version of, by how it is imported. A version may import the original. */
const replacements: Record<string, string | undefined> = {
  './present_backends.js': here('present_backends.ts'),
  './fixture_files.js': here('fixture_files.ts'),
  'fast-check': here('fast_check.ts'),
  'jest-util': here('jest_util.ts'),
  'jest-message-util': here('jest_util.ts'),
};

const replace: Plugin = {
  name: 'replace what needs Node',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, importer }) => {
      const replacement = replacements[path];
      return replacement && replacement !== importer ? { path: replacement } : undefined;
    });
  },
};

/**
 * Makes one script of the page and all test files; a test file is evaluated when it is asked for.
 *
 * @param files Their paths from the root of the repository.
 * @param root That root.
 * @returns JavaScript.
 */
export async function bundle(files: string[], root: string): Promise<string> {
  const imports = files.map((file) => `'${file}': () => import('./${file}'),`);
  const result = await build({
    stdin: {
      contents: `import { start } from './test/browser/page.ts';\nvoid start({${imports.join('\n')}});`,
      resolveDir: root,
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    define: {
      global: 'globalThis',
      'process.env': '{"FUZZ_SECONDS": "4", "FUZZ_SEED": "1"}',
      'process.platform': '"browser"',
      'process.cwd': 'String', // the package `expect` formats stacks relative to it
    },
    logLevel: 'error',
    plugins: [replace],
  });
  return result.outputFiles[0].text;
}
