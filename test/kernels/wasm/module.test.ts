import * as tf from '@tensorflow/tfjs';
import { ops } from 'tfjs-transformers';
import { KernelCall, type WasmKernel } from '../../../src/kernels/wasm/kernel.js';
import { layerNormKernels } from '../../../src/kernels/wasm/layer_norm.js';
import { linearKernels } from '../../../src/kernels/wasm/linear.js';
import { instantiate, moduleOf, type Flavour, type WasmBackend } from '../../../src/kernels/wasm/module.js'; // prettier-ignore
import { forcePath } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { Chance } from '../../support/chance.js';
import { expectClose } from '../../support/expect_close.js';
import { MemoryBackend } from '../../support/memory_backend.js';

const realBackend = (): WasmBackend => tf.backend() as unknown as WasmBackend;

/** A module of one function, relaxed_madd of splats: an engine that takes it runs the relaxed build. */
const RELAXED = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic and version
  ...[1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0], // one function, () → v128
  ...[10, 19, 1, 17, 0, 65, 1, 253, 15, 65, 2, 253, 15, 65, 3, 253, 15, 253, 133, 2, 11],
]);

describeKernels('the module of the kernels', (backend) => {
  test('is made once a backend', () => {
    const module = moduleOf(realBackend());
    expect(module).not.toBeNull();
    expect(moduleOf(realBackend())).toBe(module);
  });

  test('takes the fused build where the engine has relaxed SIMD', () => {
    const relaxed = WebAssembly.validate(RELAXED);
    expect(moduleOf(realBackend())!.fused).toBe(relaxed);
    if (backend === 'wasm-relaxed') expect(relaxed).toBe(true);
  });

  test('a build that the engine does not run is an error', () => {
    expect(instantiate(realBackend(), 'simd').fused).toBe(false);
    if (WebAssembly.validate(RELAXED))
      expect(instantiate(realBackend(), 'relaxed').fused).toBe(true);
    else
      expect(() => instantiate(realBackend(), 'relaxed')).toThrow(
        'this engine has no relaxed wasm SIMD',
      );
  });

  test('a backend whose memory is not to be found has none; said once', () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    try {
      const hidden = { wasm: { asm: {} } } as unknown as WasmBackend;
      expect(moduleOf(hidden)).toBeNull();
      expect(moduleOf(hidden)).toBeNull();
      expect(warn).toHaveBeenCalledTimes(1);
      expect(warn.mock.calls[0][0]).toBe(
        "tfjs-transformers/wasm: the kernels cannot run here (Error: the wasm backend's memory is not to be found). " +
          'Everything works without them, more slowly.',
      );
    } finally {
      warn.mockRestore();
    }
  });

  // A page without cross-origin isolation has no shared memory.
  const kinds = ['plain', ...(typeof SharedArrayBuffer === 'undefined' ? [] : ['shared'])];
  const flavours: Flavour[] = ['simd', 'relaxed'];
  const builds = kinds.flatMap((kind) => flavours.map((flavour) => [flavour, kind] as const));

  test.each(builds)('build %s computes the same in %s memory', (flavour, kind) => {
    if (flavour === 'relaxed' && !WebAssembly.validate(RELAXED)) return;
    const shared = kind === 'shared';
    const other = new MemoryBackend(
      new WebAssembly.Memory({ initial: 16, maximum: 64, shared }),
      shared,
    );
    const module = instantiate(other, flavour);
    expect(module.threads).toBe(shared ? 3 : 1);
    const chance = new Chance(7);
    const [x, w, b] = [chance.tensor([13, 37]), chance.tensor([37, 11]), chance.tensor([11])];
    const [gamma, beta] = [chance.tensor([37]), chance.tensor([37])];
    const run = (
      kernels: WasmKernel[],
      inputs: Record<string, tf.Tensor>,
      attrs = {},
    ): tf.Tensor => {
      const there = Object.entries(inputs).map(([name, tensor]) => {
        return [name, other.tensor(tensor.shape, tensor.dataSync())] as const;
      });
      const call = new KernelCall(Object.fromEntries(there), attrs, other, module);
      const output = [kernels[0].run(call)].flat()[0];
      return tf.tensor(Float32Array.from(other.view(output)), output.shape);
    };
    const tolerance = { atol: 2e-6, rtol: 2e-6 }; // one build fuses, the other does not
    forcePath('kernel', () => {
      expectClose(run(linearKernels, { x, kernel: w, bias: b }), ops.linear(x, w, b), tolerance);
      const attrs = { axes: [1], epsilon: 1e-5 };
      expectClose(run(layerNormKernels, { x, gamma, beta }, attrs), ops.layerNorm(x, gamma, beta), tolerance); // prettier-ignore
    });
  });
});
