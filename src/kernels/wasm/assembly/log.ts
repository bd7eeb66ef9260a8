/**
 * The natural logarithm of one positive, finite, normal number; NaN for any other. For the one logarithm that a row of
 * a softmax needs.
 *
 * x = m·2ⁿ with √½ ≤ m < √2, and log m = 2·atanh(s) with s = (m − 1)/(m + 1), |s| < 0.172, by its series to s¹⁷:
 * 1e-15 off.
 */
export function log(x: f64): f64 {
  if (!(x > 0 && x < Infinity)) return NaN;
  const bits = reinterpret<u64>(x);
  // Adding the distance from √½ to 1 in bits carries into the exponent where m would be √2 or more.
  const shifted = bits + 0x00095f6199800000;
  const n = <i32>(shifted >> 52) - 1023;
  const m = reinterpret<f64>(bits - ((<u64>n) << 52));
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let p: f64 = 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z + 1;
  return <f64>n * 0.6931471805599453 + 2 * s * p;
}
