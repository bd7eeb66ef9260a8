// TensorFlow's start-up log is not part of a test's output. Set here, because the workers inherit it from here.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/browser/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  setupFiles: ['<rootDir>/test/support/quiet.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/support/repeatable.ts'],
  moduleNameMapper: {
    '^tfjs-transformers$': '<rootDir>/src/index.ts',
    '^tfjs-transformers/node$': '<rootDir>/src/kernels/node/index.ts',
    '^tfjs-transformers/testing$': '<rootDir>/src/testing/index.ts',
    '^tfjs-transformers/wasm$': '<rootDir>/src/kernels/wasm/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          module: 'commonjs',
          moduleResolution: 'node10',
          ignoreDeprecations: '6.0',
          target: 'es2022',
          lib: ['es2022', 'dom'],
          strict: true,
          skipLibCheck: true,
          isolatedModules: true,
          esModuleInterop: true,
          types: ['jest', 'node'],
        },
      },
    ],
  },
  testTimeout: 60_000,
};
