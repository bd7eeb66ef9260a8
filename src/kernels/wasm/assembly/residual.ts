/** z[i] = x[i] + y[i], for `size` numbers. */
export function addArrays(x: usize, y: usize, z: usize, size: i32): void {
  const end = x + ((<usize>(size & ~3)) << 2);
  while (x != end) {
    v128.store(z, f32x4.add(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
    z += 16;
  }
  for (let rest = size & 3; rest > 0; rest--) {
    store<f32>(z, load<f32>(x) + load<f32>(y));
    x += 4;
    y += 4;
    z += 4;
  }
}
