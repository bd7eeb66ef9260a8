import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import { svg } from '../../src/visualize/index.js';
import { describeBackends } from '../support/backends.js';

/** Every element of the file, checked to be well-formed: tags nest, attributes are quoted, text is escaped. */
function elements(file: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  const rest = file.replace(
    /<(\/?)([a-z]+)((?:\s+[a-zA-Z-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, closing: string, name: string, __: string, empty: string) => {
      if (closing) expect(open.pop()).toBe(name);
      else {
        seen.push(name);
        if (!empty) open.push(name);
      }
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest.replace(/\.hm[^\n]*/, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
  return seen;
}

const count = (file: string, part: string): number => file.split(part).length - 1;
const titles = (file: string): string[] =>
  [...file.matchAll(/<title>(.*?)<\/title>/g)].map((match) => match[1]);

describeBackends('svg', () => {
  test('a mask names every cell', async () => {
    const mask = tf.tensor4d([1, 0, 1, 1], [1, 1, 2, 2], 'bool');
    const before = tf.memory().numTensors;
    const file = await svg(mask, {
      keyLabels: ['a', 'b'],
      queryLabels: ['a', 'b'],
      title: 'causal',
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(file.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(file).toContain('role="img" aria-label="causal"');
    expect(file).toContain('prefers-color-scheme:dark');
    expect(titles(file)).toEqual([
      'query 0 a → key 0 a: may attend',
      'query 0 a → key 1 b: hidden',
      'query 1 b → key 0 a: may attend',
      'query 1 b → key 1 b: may attend',
    ]);
    expect(count(file, 'fill-opacity="1"')).toBe(3);
    expect(count(file, 'fill-opacity="0"')).toBe(1);
    expect(file).toContain('>may attend</text>');
    elements(file);
    mask.dispose();
  });
});

test('scores: opacity is the place on the scale, NaN has its own look', async () => {
  const file = await svg([[0.25, 0.5, NaN]], { legend: false });
  expect(titles(file)).toEqual([
    'query 0 0 → key 0 0: 0.25',
    'query 0 0 → key 1 1: 0.5',
    'query 0 0 → key 2 2: NaN',
  ]);
  expect([...file.matchAll(/fill-opacity="(.*?)"/g)].map((match) => match[1])).toEqual([
    '0.5',
    '1',
  ]);
  expect(count(file, 'class="hm-nan"')).toBe(1);
  expect(file).toContain('aria-label="Attention scores"');
  const withLegend = await svg([[0.25, 0.5, NaN]]);
  for (const label of ['>0<', '>0.5<', '>exactly 0<', '>NaN<']) expect(withLegend).toContain(label);
});

test('a score of exactly 0 has a small ground', async () => {
  const file = await svg([[1, 0]], { legend: false, cellSize: 29 });
  const grounds = file.slice(file.indexOf('<g class="hm-base"'), file.indexOf('</g>'));
  expect([...grounds.matchAll(/width="(.*?)"/g)].map((match) => match[1])).toEqual(['27', '9']);
});

test('everything drawn is inside the picture', async () => {
  const file = await svg(
    [
      [0, 1],
      [1, 0],
    ],
    {
      keyLabels: ['a rather long label', 'b'],
      queryLabels: ['x', 'another long label'],
      title: 'T',
    },
  );
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(file) as RegExpExecArray;
  const rects = [...file.matchAll(/x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)];
  expect(rects.length).toBeGreaterThan(8);
  for (const [, x, y, w, h] of rects) {
    expect(Number(x) + Number(w)).toBeLessThanOrEqual(Number(width));
    expect(Number(y) + Number(h)).toBeLessThanOrEqual(Number(height));
  }
  expect(file).toContain('rotate(-45');
});

test('any labels give a well-formed file', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '"<&>\'', 'title'),
      async (labels, title) => {
        const values = labels.map((_, i) => labels.map((_, j) => i / (j + 1)));
        const file = await svg(values, { keyLabels: labels, queryLabels: labels, title });
        const seen = elements(file);
        expect(seen.filter((name) => name === 'title')).toHaveLength(labels.length ** 2);
      },
    ),
    { numRuns: 50 },
  );
});

test('bad input', async () => {
  await expect(svg([[1]], { cellSize: 1 })).rejects.toThrow(
    'visualize.svg: cellSize must be a finite number of at least 2, got cellSize=1.',
  );
  await expect(svg([[1]], { color: true } as never)).rejects.toThrow(
    "visualize.svg: unknown option 'color'.",
  );
  await expect(svg(tf.zeros([257, 256]))).rejects.toThrow(
    'visualize.svg: at most 65536 cells can be drawn, got 257×256. Take a part of the values with tf.slice.',
  );
  await expect(svg([1] as never)).rejects.toThrow('visualize.svg: values must have shape');
});
