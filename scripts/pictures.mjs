// Draws the pictures of the documentation: docs/images/masks.svg. Run it after a build: node scripts/pictures.mjs
import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { masks, visualize } from 'tfjs-transformers';

await tf.setBackend('cpu');
const labels = ['The', 'cat', '<PAD>', '<PAD>'];
const tokenIds = tf.tensor2d([[5, 7, 0, 0]], [1, 4], 'int32');
const padding = masks.padding(tokenIds);
const causal = masks.causal(4);
const options = { queryLabels: labels, keyLabels: labels };
const pictures = [];
for (const [title, mask] of [
  ['padding', padding],
  ['causal', causal],
  ['padding AND causal', masks.and(padding, causal)],
]) {
  pictures.push(await visualize.svg(mask, { ...options, title, legend: title === 'causal' }));
}

// One picture out of three: each keeps its own coordinates.
const size = (svg, name) => Number(new RegExp(`<svg[^>]* ${name}="([\\d.]+)"`).exec(svg)[1]);
let x = 0;
const placed = pictures.map((svg) => {
  const at = svg.replace('<svg ', `<svg x="${x}" `);
  x += size(svg, 'width') + 12;
  return at;
});
const height = Math.max(...pictures.map((svg) => size(svg, 'height')));
const whole = `<svg xmlns="http://www.w3.org/2000/svg" width="${x}" height="${height}" viewBox="0 0 ${x} ${height}">\n${placed.join('\n')}\n</svg>\n`;
writeFileSync(new URL('../docs/images/masks.svg', import.meta.url), whole);
