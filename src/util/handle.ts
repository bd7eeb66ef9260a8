import * as tf from '@tensorflow/tfjs-core';

/**
 * A second handle on a tensor's data, which live until both are disposed of. No kernel runs and nothing is recorded on
 * the tape. `tf.clone` does both: it copies on some backends, and costs a node of the tape.
 *
 * @param x The tensor.
 * @param shape Shape of the handle; that of x by default, else one of the same size.
 * @returns The handle; the scope that it is made in frees it.
 */
export function handle<T extends tf.Tensor>(x: T, shape: number[] = x.shape): T {
  const engine = tf.engine();
  const { dataId, dtype } = x;
  engine.state.tensorInfo.get(dataId)!.backend.incRef(dataId);
  return engine.makeTensorFromTensorInfo({ dataId, shape, dtype }) as T;
}
