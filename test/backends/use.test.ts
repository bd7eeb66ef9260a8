import * as tf from '@tensorflow/tfjs';
import { use } from '../../src/backends/index.js';

class FakeBackend extends tf.KernelBackend {
  disposed = false;
  override dispose(): void {
    this.disposed = true;
  }
}

type Factory = () => tf.KernelBackend | Promise<tf.KernelBackend>;

const forever: Factory = () => new Promise<tf.KernelBackend>(() => undefined);
const absent = (): Promise<unknown> => Promise.reject(new Error('Cannot find module'));
const broken: Factory = () => {
  throw new Error('no device\nand a stack');
};

/** Registers backends for one test; one of that name that is really here comes back afterwards. */
async function withBackends(
  factories: Record<string, Factory>,
  body: () => Promise<void>,
): Promise<void> {
  const real = new Map<string, Factory | null>();
  for (const [name, factory] of Object.entries(factories)) {
    real.set(name, tf.findBackendFactory(name));
    if (real.get(name)) tf.removeBackend(name);
    tf.registerBackend(name, factory, 0);
  }
  try {
    await body();
  } finally {
    for (const [name, factory] of real) {
      tf.removeBackend(name);
      if (factory) tf.registerBackend(name, factory, 0);
    }
    await tf.setBackend('cpu');
  }
}

beforeEach(async () => {
  await tf.setBackend('cpu');
});

describe('a named backend', () => {
  test('is started and made current', async () => {
    const lines: string[] = [];
    expect(await use('cpu', { log: (line) => lines.push(line) })).toEqual({
      name: 'cpu',
      tried: [],
      message: 'cpu runs.',
    });
    expect(lines).toEqual(['cpu runs.']);
    expect(tf.getBackend()).toBe('cpu');
  });

  test('wasm is imported by its name and computes', async () => {
    expect(tf.findBackendFactory('wasm')).toBeNull();
    expect((await use('wasm')).name).toBe('wasm');
    expect(tf.getBackend()).toBe('wasm');
    expect(await tf.add([1, 2], 3).data()).toEqual(Float32Array.of(4, 5));
  });

  test('one of your own, also when it starts asynchronously', async () => {
    await withBackends({ mine: () => Promise.resolve(new FakeBackend()) }, async () => {
      expect((await use('mine')).name).toBe('mine');
      expect(tf.getBackend()).toBe('mine');
      await use('cpu');
      expect((await use('mine')).tried).toEqual([]); // it runs already
    });
  });

  test('load registers it when it is needed', async () => {
    const load = {
      lazy: () => Promise.resolve(tf.registerBackend('lazy', () => new FakeBackend(), 0)),
    };
    try {
      expect((await use('lazy', { load })).name).toBe('lazy');
    } finally {
      await tf.setBackend('cpu');
      tf.removeBackend('lazy');
    }
  });

  test('that fails to start is an error with its reason; the current backend stays', async () => {
    await withBackends({ broken, rejecting: () => Promise.reject(new Error('lost')) }, async () => {
      await expect(use('broken')).rejects.toThrow(
        "backends.use: backend 'broken' cannot be had: did not start (no device). Take another one, or 'auto'.",
      );
      await expect(use('rejecting')).rejects.toThrow('did not start (lost)');
      expect(tf.getBackend()).toBe('cpu');
      expect(await tf.add(1, 2).data()).toEqual(Float32Array.of(3));
    });
  });

  test('that never starts is given up; tf.ready() still resolves', async () => {
    await withBackends({ forever }, async () => {
      await expect(use('forever', { timeout: 30 })).rejects.toThrow('did not start within 0.03 s');
      await tf.ready();
      expect(tf.getBackend()).toBe('cpu');
    });
  });

  test('that starts too late is disposed of', async () => {
    const backend = new FakeBackend();
    let arrive: (backend: tf.KernelBackend) => void = () => undefined;
    const late: Factory = () => new Promise((resolve) => (arrive = resolve));
    await withBackends({ late }, async () => {
      await expect(use('late', { timeout: 10 })).rejects.toThrow('did not start within 0.01 s');
      arrive(backend);
      await new Promise((resolve) => setTimeout(resolve, 0));
      expect(backend.disposed).toBe(true);
      expect(tf.getBackend()).toBe('cpu');
    });
  });

  test('that is not here says how to get it', async () => {
    const missing = (): Promise<unknown> =>
      Promise.reject(new Error("Cannot find module '@tensorflow/tfjs-node'\nRequire stack: …"));
    await expect(use('tensorflow', { load: { tensorflow: missing } })).rejects.toThrow(
      "backends.use: backend 'tensorflow' cannot be had: package @tensorflow/tfjs-node is not installed. " +
        'Install it with `npm install @tensorflow/tfjs-node`.',
    );
    const unbuilt = (): Promise<unknown> =>
      Promise.reject(new Error('tfjs_binding.node can not be found'));
    await expect(use('tensorflow', { load: { tensorflow: unbuilt } })).rejects.toThrow(
      'package @tensorflow/tfjs-node cannot be loaded (tfjs_binding.node can not be found)',
    );
    const empty = (): Promise<unknown> => Promise.resolve({});
    await expect(use('tensorflow', { load: { tensorflow: empty } })).rejects.toThrow(
      '@tensorflow/tfjs-node was loaded but registered no backend: this machine cannot run it, or a second copy of ' +
        '@tensorflow/tfjs-core is installed (`npm ls @tensorflow/tfjs-core` shows). Install it with',
    );
    await expect(use('webgl', { load: { webgl: empty } })).rejects.toThrow(
      '@tensorflow/tfjs-backend-webgl was loaded but registered no backend. ' +
        "It belongs to browsers: in Node use 'tensorflow', 'wasm' or 'cpu'.",
    );
    const absent = (): Promise<unknown> =>
      Promise.reject(new Error("Cannot find module '@tensorflow/tfjs-backend-webgpu'"));
    await expect(use('webgpu', { load: { webgpu: absent } })).rejects.toThrow(
      'package @tensorflow/tfjs-backend-webgpu is not installed. ' +
        "It belongs to browsers: in Node use 'tensorflow', 'wasm' or 'cpu'.",
    );
  });

  test('loading tfjs-node first gives Node back what it calls', async () => {
    const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
    const original = util.isNullOrUndefined;
    util.isNullOrUndefined = undefined;
    let seen: ((value: unknown) => boolean) | undefined;
    const load = {
      tensorflow: () =>
        Promise.reject(new Error(String((seen = util.isNullOrUndefined) && 'seen'))),
    };
    await expect(use('tensorflow', { load })).rejects.toThrow('(seen)');
    expect([null, undefined, 0, ''].map((value) => seen?.(value))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    util.isNullOrUndefined = original;
  });
});

describe('auto', () => {
  test('passes over what cannot be had or started, and says why', async () => {
    await withBackends({ tensorflow: broken, wasm: forever }, async () => {
      const lines: string[] = [];
      const choice = await use('auto', { timeout: 20, log: (line) => lines.push(line) });
      expect(choice).toEqual({
        name: 'cpu',
        tried: [
          { name: 'tensorflow', reason: 'did not start (no device)' },
          { name: 'wasm', reason: 'did not start within 0.02 s' },
        ],
        message:
          'cpu runs. tensorflow: did not start (no device). wasm: did not start within 0.02 s.',
      });
      expect(lines).toEqual([
        'tensorflow: did not start (no device).',
        'wasm: did not start within 0.02 s.',
        'cpu runs.',
      ]);
      await tf.ready();
      expect(tf.getBackend()).toBe('cpu');
    });
  });

  test('takes the first in order', async () => {
    await withBackends({ tensorflow: () => new FakeBackend() }, async () => {
      expect((await use()).message).toBe(
        "tensorflow runs. import 'tfjs-transformers/node' makes it twice as fast.",
      );
    });
    const { name, tried } = await use('auto', { load: { tensorflow: absent } });
    expect(name).toBe('wasm');
    expect(tried).toEqual([
      {
        name: 'tensorflow',
        reason: 'package @tensorflow/tfjs-node cannot be loaded (Cannot find module)',
      },
    ]);
  });

  test('throws when nothing starts', async () => {
    await withBackends({ tensorflow: broken, wasm: broken, cpu: broken }, async () => {
      await expect(use('auto')).rejects.toThrow(
        'backends.use: no backend could be started. tensorflow: did not start (no device). wasm: did not start',
      );
    });
  });
});

describe('wasm', () => {
  test('is tried again without threads when it hangs with them', async () => {
    await use('wasm'); // the package registers the flag
    const flag = 'WASM_HAS_MULTITHREAD_SUPPORT';
    const real = tf.findBackendFactory('wasm');
    const hangsWithThreads: Factory = () => (tf.env().getBool(flag) ? forever() : real());
    try {
      tf.env().set(flag, true);
      await withBackends({ wasm: hangsWithThreads }, async () => {
        expect(await use('wasm', { timeout: 4000 })).toEqual({
          name: 'wasm',
          tried: [
            {
              name: 'wasm',
              reason: 'with threads it did not start within 4 s, so it runs without',
            },
          ],
          message:
            "wasm runs. import 'tfjs-transformers/wasm' makes it several times faster. " +
            'wasm: with threads it did not start within 4 s, so it runs without.',
        });
        expect(tf.env().getBool(flag)).toBe(false);
      });
      tf.env().set(flag, true);
      await withBackends({ wasm: forever }, async () => {
        await expect(use('wasm', { timeout: 20 })).rejects.toThrow(
          "backend 'wasm' cannot be had: with threads it did not start within 0.02 s; " +
            'without threads it did not start within 0.02 s.',
        );
        expect(tf.env().getBool(flag)).toBe(true);
      });
    } finally {
      tf.env().set(flag, false);
    }
  }, 30_000); // 4 s of them waiting: a busy machine may need long for the real one

  test('whose kernels cannot be set up does not pass for running', async () => {
    await use('wasm');
    await use('cpu');
    await withBackends({ wasm: () => new FakeBackend() }, async () => {
      for (let i = 0; i < 2; i++) {
        await expect(use('wasm')).rejects.toThrow("'wasm' cannot be had: did not start (");
        expect(tf.getBackend()).toBe('cpu');
        expect(await tf.add(1, 2).data()).toEqual(Float32Array.of(3));
      }
    });
  });

  test('wasmPaths reach the package', async () => {
    let got: unknown;
    const setWasmPaths = (paths: unknown): void => void (got = paths);
    const asDefault = { wasm: () => Promise.resolve({ default: { setWasmPaths } }) };
    await use('wasm', { wasmPaths: '/static/', load: asDefault });
    expect(got).toBe('/static/');
    await use('wasm', {
      wasmPaths: { 'a.wasm': '/a' },
      load: { wasm: () => Promise.resolve({ setWasmPaths }) },
    });
    expect(got).toEqual({ 'a.wasm': '/a' });
    await expect(use('wasm', { wasmPaths: { 'a.wasm': '/a' } })).rejects.toThrow(
      'wasmPaths were refused (There were no entries found for the following binaries',
    );
    await expect(use('wasm', { wasmPaths: '/', load: { wasm: absent } })).rejects.toThrow(
      'wasmPaths cannot be set (package @tensorflow/tfjs-backend-wasm cannot be loaded (Cannot find module)); ' +
        "give load: { wasm: () => import('@tensorflow/tfjs-backend-wasm') }",
    );
  });
});

test('bad input', async () => {
  await expect(use('metal')).rejects.toThrow(
    "backends.use: unknown backend 'metal'. Known: auto, tensorflow, webgpu, webgl, wasm, cpu.",
  );
  await expect(use('cpu', { timeout: 0 })).rejects.toThrow(
    'backends.use: timeout must be a finite number of at least 1, got timeout=0.',
  );
  await expect(use('cpu', { timeOut: 5 } as never)).rejects.toThrow("Did you mean 'timeout'?");
});
