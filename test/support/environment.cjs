// Jest runs each test file in a realm of its own. tfjs-node's native binding makes typed arrays of the outer realm,
// which TensorFlow.js then does not recognise ("Unsupported TypedArray subtype"). Sharing the constructors mends that.
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
  constructor(...args) {
    super(...args);
    Object.assign(this.global, { Float32Array, Float64Array, Int32Array, Uint32Array, Int16Array, Uint16Array, Int8Array, Uint8ClampedArray, BigInt64Array, BigUint64Array }); // prettier-ignore
  }
};
