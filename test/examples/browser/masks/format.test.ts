import { exact, percent, shade, short } from '../../../../examples/browser/src/masks/format.js';

test.each([
  [0, '0'],
  [-0, '0'],
  [1, '1'],
  [0.42049, '0.42'],
  [-12.345, '−12.3'],
  [-1e9, '−1e9'],
  [-2e9, '−2e9'],
  [10606601216, '1.06e10'],
  [0.00673794, '0.00674'],
  [4.53999e-5, '4.54e−5'],
  [1.4e-45, '1.4e−45'],
  [NaN, 'NaN'],
  [-Infinity, '−∞'],
])('%p in full is %s', (value, text) => {
  expect(exact(value)).toBe(text);
});

test.each([
  [0, '0'],
  [1e-9, '~0'],
  [-0.0049, '~0'],
  [0.333, '.33'],
  [-0.994, '−.99'],
  [0.996, '1.0'],
  [-1.25, '−1.3'],
  [9.96, '10'],
  [-1e9, '−1e9'],
  [NaN, 'NaN'],
])('%p in a cell is %s', (value, text) => {
  expect(short(value)).toBe(text);
});

test.each([
  [0, '0%'],
  [1, '100%'],
  [0.0999, '10%'],
  [0.0667, '6.7%'],
  [0.0004, '0.04%'],
  [1e-9, '1e−7%'],
])('the share %p is %s', (value, text) => {
  expect(percent(value)).toBe(text);
});

test('only exactly 0 is written as 0', () => {
  for (const value of [1.4e-45, 1e-12, 4e-4]) {
    expect(exact(value)).not.toBe('0');
    expect(short(value)).not.toBe('0');
    expect(percent(value)).not.toBe('0%');
  }
});

test('colours: full at the most, none at 0, sides by sign, NaN apart', () => {
  expect(shade(2, 4)).toEqual({ strength: 0.5, side: 'plus' });
  expect(shade(-8, 4)).toEqual({ strength: 1, side: 'minus' });
  expect(shade(0, 4)).toEqual({ strength: 0, side: 'plus' });
  expect(shade(0, 0)).toEqual({ strength: 0, side: 'plus' });
  expect(shade(NaN, 4)).toEqual({ strength: 1, side: 'odd' });
});
