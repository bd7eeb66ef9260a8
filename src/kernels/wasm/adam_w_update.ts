/** One step of the optimizer, in the memory of the moments where nobody else holds it. */
import { sizeOf } from '../../util/shapes.js';
import type { WasmKernel } from './kernel.js';

/** `TransformersAdamW`: new weights, first moments and second moments of all weights, weight by weight. */
export const adamWUpdateKernels: WasmKernel[] = [
  {
    name: 'TransformersAdamW',
    run: (call) => {
      const { beta1, beta2, rate, epsilon } = call.attrs as Record<string, number>;
      const scale = call.pointer(call.inputs.scale);
      return (call.attrs.keeps as number[]).flatMap((keep, i) => {
        const gradient = call.inputs[`gradient${i}`];
        const old = ['weight', 'first', 'second'].map((name) => call.inputs[`${name}${i}`]);
        // Not so the weight: TensorFlow.js' own matMul and conv2d keep a packed copy of it until its memory is freed.
        const fresh = old.map(
          (tensor, i) => (i > 0 ? call.inPlace(tensor) : undefined) ?? call.output(tensor.shape),
        );
        const [weight, first, second] = old.map((tensor) => call.pointer(tensor));
        const [newWeight, newFirst, newSecond] = fresh.map((tensor) => call.pointer(tensor));
        call.exports.adamWUpdate(
          ...([weight, first, second, call.pointer(gradient)] as const),
          ...([newWeight, newFirst, newSecond] as const),
          sizeOf(gradient.shape),
          scale,
          beta1,
          beta2,
          1 - beta1,
          1 - beta2,
          rate,
          epsilon,
          keep,
        );
        return fresh;
      });
    },
  },
];
