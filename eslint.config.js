// Lint rules: typescript-eslint's strict, type-checked set, and this package's own. `npm run lint` allows no warning.
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Files of `src` that may read a tensor synchronously (`dataSync`, `arraySync`), and why. Everywhere else values stay
 * on the device: a synchronous read stalls a GPU queue and does not exist on WebGPU.
 */
const hostBoundaries = {
  'src/ops/adam_w_on_host.ts': 'the step in float32 where a device stores 16-bit floats',
};

const readsSynchronously = ['dataSync', 'arraySync', 'bytesSync', 'readSync'].map((name) => ({
  selector: `MemberExpression[property.name='${name}']`,
  message: `${name} stalls the device. Read with 'await tensor.data()', or name the file in hostBoundaries (eslint.config.js).`,
}));

export default defineConfig(
  {
    ignores: [
      ...['dist/', 'node_modules/', '.native/', 'coverage/', 'examples/*/output/'],
      ...['src/kernels/wasm/assembly/', 'src/kernels/wasm/binary.ts'], // AssemblyScript, and what it is compiled to
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers, shapes and booleans in messages read as they print.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowArray: true, allowNullish: true },
      ],
      // noUncheckedIndexedAccess is off (loops over typed arrays), so the type of a[i] never holds undefined.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // An exclamation mark says what a check above it, or `build`, has established.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // TensorFlow.js hands out its classes as structures: a LayerVariable is a Variable in all but its class.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...readsSynchronously],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@tensorflow/tfjs',
              message:
                'The union doubles a page. Import @tensorflow/tfjs-core and @tensorflow/tfjs-layers.',
            },
          ],
          patterns: [
            {
              group: ['@tensorflow/*/dist/*', '@tensorflow/*/src/*'],
              message: 'Deep imports fail in Node.',
            },
            {
              group: ['tfjs-transformers', 'tfjs-transformers/*'],
              message: 'Import the file itself.',
            },
          ],
        },
      ],
    },
  },
  ...Object.keys(hostBoundaries).map((file) => ({
    files: [file],
    rules: { 'no-restricted-syntax': 'off' },
  })),
  // The default of `training.fit` is to print its progress.
  { files: ['src/training/progress.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // Tests read fixtures of unknown shape, and hand bad input to functions on purpose.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-implied-eval': 'off', // snippets of the documentation are run
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Buffer', 'URL', 'setTimeout', 'clearTimeout'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
);
