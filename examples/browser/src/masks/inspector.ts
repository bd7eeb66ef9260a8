/** One cell in full: from the score to the weight, number by number, and in words. */
import { element } from '../element.js';
import { cellNumbers } from './attention_steps.js';
import { exact } from './format.js';
import { chosenHead, reasonToHide, type Part, type ViewState } from './state.js';
import { words } from './words.js';

/**
 * Makes the part.
 *
 * @returns The part.
 */
export function makeInspector(): Part {
  const who = element('h3', { class: 'who' });
  const chain = element('dl', { class: 'chain' });
  const why = element('p', { class: 'remark' });
  const term = (
    sign: string,
    name: string,
    value: number,
    look = '',
    field = look,
  ): HTMLElement[] => [
    ...(sign === '' ? [] : [element('span', { class: 'sign', 'aria-hidden': 'true' }, sign)]),
    element(
      'div',
      { class: `term ${look}`, 'data-value': field },
      element('dt', {}, name),
      element('dd', {}, exact(value)),
    ),
  ];

  return {
    element: element('aside', { class: 'inspector', 'data-inspector': true }, who, chain, why),
    update: (state: ViewState) => {
      const text = words();
      const { sequence, steps, picked } = state;
      const [query, key] = picked;
      const cell = cellNumbers(steps, chosenHead(state), query, key);
      who.textContent = text.cell(sequence.words[query], sequence.words[key]);
      chain.replaceChildren(
        ...term('', text.score, cell.score, 'is-score', 'score'),
        ...term('+', 'M', cell.bias, cell.visible ? '' : 'is-bias', 'bias'),
        ...term('=', text.sum, cell.masked, '', 'sum'),
        ...term('→', text.exponential(exact(cell.rowMax)), cell.exp, '', 'exp'),
        ...term('÷', text.rowSum, cell.sum, '', 'rowSum'),
        ...term('=', text.weight, cell.weight, 'is-weight', 'weight'),
      );
      why.textContent = reason(state, cell);
    },
  };
}

function reason(
  { sequence, picked }: ViewState,
  { visible, rowSeesSomething, score }: ReturnType<typeof cellNumbers>,
): string {
  const text = words();
  const ideal = reasonToHide(sequence, ...picked);
  if (!rowSeesSomething) return text.whyNothing;
  if (!visible) {
    const why = ideal === 'padding' ? text.whyHiddenPadding : text.whyHiddenFuture;
    return score === 0 ? why : `${why} ${text.absorbed}`;
  }
  if (ideal === 'padding') return text.whyLeakPadding;
  return ideal === 'future' ? text.whyLeakFuture : text.whyVisible;
}
