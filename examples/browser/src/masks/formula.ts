/** The formula of attention, in MathML: its parts have the colours of the steps. */
import { element } from '../element.js';

const SCORES =
  '<mrow class="f-scores"><mfrac><mrow><mi>Q</mi><msup><mi>K</mi><mo>⊤</mo></msup></mrow><msqrt><mi>H</mi></msqrt></mfrac></mrow>';
const BIAS = '<mi class="f-bias">M</mi>';
const SUM = `<mrow>${SCORES}<mo>+</mo>${BIAS}</mrow>`;
const SOFTMAX = `<mrow><mi class="f-softmax">softmax</mi><mrow><mo>(</mo>${SUM}<mo>)</mo></mrow></mrow>`;

const PARTS = {
  scores: SCORES,
  bias: BIAS,
  sum: SUM,
  softmax: SOFTMAX,
  whole: `<mrow>${SOFTMAX}<mi>V</mi></mrow>`,
};

/**
 * Writes the formula or a part of it.
 *
 * @param part Which part.
 * @param display Whether it has a line of its own.
 * @returns An element.
 */
export function formula(part: keyof typeof PARTS, display = false): HTMLElement {
  const box = element('span', { class: 'formula' });
  box.innerHTML = `<math${display ? ' display="block"' : ''}>${PARTS[part]}</math>`;
  return box;
}
