/** Numbers as the page writes them. */

const MINUS = '−';

/**
 * A number in full, for the line that explains a cell.
 *
 * @param value Any number.
 * @returns At most three significant digits, with powers of ten outside 0.001 … 100,000; `0` only for exactly 0.
 */
export function exact(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}∞` : '∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e')
    .replaceAll('-', MINUS);
}

/**
 * A number short enough for a cell.
 *
 * @param value Any number.
 * @returns Two characters or three where that is possible: `.33`, `1.4`, `−1e9`.
 */
export function short(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || !Number.isFinite(size) || size >= 1e4) return exact(value);
  const sign = value < 0 ? MINUS : '';
  if (size < 0.005) return '~0';
  if (size < 0.995) return `${sign}${size.toFixed(2).slice(1)}`;
  return `${sign}${size < 9.95 ? size.toFixed(1) : size.toFixed(0)}`;
}

/**
 * A share as a percentage.
 *
 * @param value Between 0 and 1.
 * @returns `0%` only for exactly 0.
 */
export function percent(value: number): string {
  if (value === 0) return '0%';
  const hundred = value * 100;
  if (hundred < 0.1) return hundred < 0.001 ? `${exact(hundred)}%` : `${hundred.toPrecision(1)}%`;
  return `${hundred < 9.95 ? hundred.toFixed(1) : hundred.toFixed(0)}%`;
}

/**
 * Where a number is on a scale of colour.
 *
 * @param value Any number.
 * @param most Size that has the full colour.
 * @returns 0 … 1, and on which side of 0; `odd` for what is no number.
 */
export function shade(
  value: number,
  most: number,
): { strength: number; side: 'plus' | 'minus' | 'odd' } {
  if (Number.isNaN(value)) return { strength: 1, side: 'odd' };
  const strength = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  return { strength, side: value < 0 ? 'minus' : 'plus' };
}
