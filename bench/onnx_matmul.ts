/** The matrix product of ONNX Runtime, on wasm (one thread) or natively, where it is installed. */
import { cpus } from 'node:os';

/** A product of two float32 matrices, or batches of them. */
export type Product = (
  a: Float32Array,
  shapeA: number[],
  b: Float32Array,
  shapeB: number[],
) => () => Promise<Float32Array>;

/**
 * Loads ONNX Runtime and a model of one node, c = MatMul(a, b).
 *
 * @param runtime The package; the native one uses all processors.
 * @returns Makes a function for two operands that multiplies them.
 * @throws Error where it is not installed.
 */
export async function onnxMatMul(
  runtime: 'onnxruntime-web' | 'onnxruntime-node' = 'onnxruntime-web',
): Promise<Product> {
  const name: string = runtime;
  const module = await import(name);
  const ort = module.InferenceSession ? module : module.default;
  const web = runtime === 'onnxruntime-web';
  if (web) ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(model(), {
    executionProviders: [web ? 'wasm' : 'cpu'],
    ...(web ? {} : { intraOpNumThreads: cpus().length }),
  });
  return (a, shapeA, b, shapeB) => {
    const feeds = {
      a: new ort.Tensor('float32', a, shapeA),
      b: new ort.Tensor('float32', b, shapeB),
    };
    return async () => (await session.run(feeds)).c.data as Float32Array;
  };
}

/** The model's bytes: protocol buffers, with the numbers of fields from onnx.proto. */
function model(): Uint8Array {
  const node = [text(1, 'a'), text(1, 'b'), text(2, 'c'), text(4, 'MatMul')].flat();
  const floats = message(1, number(1, 1)); // tensor_type { elem_type: FLOAT }, of any shape
  const value = (name: string): number[] => [...text(1, name), ...message(2, floats)];
  const inputs = [value('a'), value('b')].flatMap((input) => message(11, input));
  const graph = [message(1, node), text(2, 'product'), inputs, message(12, value('c'))].flat();
  const opset = [...text(1, ''), ...number(2, 13)];
  return Uint8Array.from([...number(1, 8), ...message(8, opset), ...message(7, graph)]);
}

function message(field: number, bytes: number[]): number[] {
  return [(field << 3) | 2, ...varint(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function number(field: number, value: number): number[] {
  return [field << 3, ...varint(value)];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}
