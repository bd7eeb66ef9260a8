import {
  activate, firstPart, GELU, GELU_TANH, LINEAR, RELU, secondPart, SIGMOID, SILU, slope, slopeOf, TANH, valueOf,
} from './activation'; // prettier-ignore
import { loadFirst, storeFirst } from './partial';

// @inline
function forward(kind: i32, gate: usize, up: usize, y: usize, size: i32): void {
  const end = gate + ((<usize>(size >> 2)) << 4);
  while (gate != end) {
    v128.store(y, f32x4.mul(activate(kind, v128.load(gate)), v128.load(up)));
    gate += 16;
    up += 16;
    y += 16;
  }
  const rest = size & 3;
  if (rest)
    storeFirst(y, f32x4.mul(activate(kind, loadFirst(gate, rest)), loadFirst(up, rest)), rest);
}

// @inline
function backward(
  kind: i32,
  dy: usize,
  gate: usize,
  up: usize,
  dGate: usize,
  dUp: usize,
  size: i32,
): void {
  const end = gate + ((<usize>(size >> 2)) << 4);
  while (gate != end) {
    const g = v128.load(gate);
    const d = v128.load(dy);
    const first = firstPart(kind, g);
    const second = secondPart(kind, g, first);
    v128.store(dGate, f32x4.mul(f32x4.mul(d, v128.load(up)), slopeOf(kind, g, first, second)));
    v128.store(dUp, f32x4.mul(d, valueOf(kind, g, second)));
    dy += 16;
    gate += 16;
    up += 16;
    dGate += 16;
    dUp += 16;
  }
  const rest = size & 3;
  if (rest) {
    const g = loadFirst(gate, rest);
    const d = loadFirst(dy, rest);
    storeFirst(dGate, f32x4.mul(f32x4.mul(d, loadFirst(up, rest)), slope(kind, g)), rest);
    storeFirst(dUp, f32x4.mul(d, activate(kind, g)), rest);
  }
}

/** y[i] = activation(gate[i]) · up[i], for `size` numbers. */
export function gatedLinearUnit(kind: i32, gate: usize, up: usize, y: usize, size: i32): void {
  if (kind == LINEAR) forward(LINEAR, gate, up, y, size);
  else if (kind == RELU) forward(RELU, gate, up, y, size);
  else if (kind == SIGMOID) forward(SIGMOID, gate, up, y, size);
  else if (kind == TANH) forward(TANH, gate, up, y, size);
  else if (kind == SILU) forward(SILU, gate, up, y, size);
  else if (kind == GELU) forward(GELU, gate, up, y, size);
  else forward(GELU_TANH, gate, up, y, size);
}

/** Both gradients in one pass: dGate = dy · up · activation′(gate), dUp = dy · activation(gate). */
export function gatedLinearUnitGrad(
  kind: i32,
  dy: usize,
  gate: usize,
  up: usize,
  dGate: usize,
  dUp: usize,
  size: i32,
): void {
  if (kind == LINEAR) backward(LINEAR, dy, gate, up, dGate, dUp, size);
  else if (kind == RELU) backward(RELU, dy, gate, up, dGate, dUp, size);
  else if (kind == SIGMOID) backward(SIGMOID, dy, gate, up, dGate, dUp, size);
  else if (kind == TANH) backward(TANH, dy, gate, up, dGate, dUp, size);
  else if (kind == SILU) backward(SILU, dy, gate, up, dGate, dUp, size);
  else if (kind == GELU) backward(GELU, dy, gate, up, dGate, dUp, size);
  else backward(GELU_TANH, dy, gate, up, dGate, dUp, size);
}
