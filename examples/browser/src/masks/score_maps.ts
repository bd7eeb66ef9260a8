/** Step 2: scores, M, their sum, and the weights that the softmax makes of it; below them one cell in full. */
import { element } from '../element.js';
import { cellNumbers } from './attention_steps.js';
import { formula } from './formula.js';
import { exact, shade, short } from './format.js';
import { makeHeatMap, type Cell } from './heat_map.js';
import { makeInspector } from './inspector.js';
import { chosenHead, reasonToHide, type Part, type ViewState } from './state.js';
import { words } from './words.js';

/**
 * Makes the part.
 *
 * @param onPick Called with the cell that the user looks at.
 * @returns The part.
 */
export function scoreMaps(onPick: (query: number, key: number) => void): Part {
  const steps = [
    { name: 'scores', title: () => words().scoresMap, part: 'scores', sign: '+' },
    { name: 'bias', title: () => words().biasMap, part: 'bias', sign: '=' },
    { name: 'masked', title: () => words().sumMap, part: 'sum', sign: '→' },
    { name: 'weights', title: () => words().weightsMap, part: 'softmax', sign: '' },
  ] as const;
  const maps = steps.map(() => makeHeatMap(onPick));
  const inspector = makeInspector();
  const figures = steps.flatMap(({ name, title, part, sign }, i) => {
    const caption = element('figcaption', {}, element('strong', {}, title), formula(part));
    const figure = element('figure', { class: 'step', 'data-map': name }, caption, maps[i].element);
    return sign === ''
      ? [figure]
      : [figure, element('span', { class: 'sign', 'aria-hidden': 'true' }, sign)];
  });

  const update = (state: ViewState): void => {
    const { sequence, picked, steps: numbers } = state;
    const text = words();
    const head = chosenHead(state);
    const most = Math.max(...head.scores.flat().map(Math.abs));
    const cell = (name: (typeof steps)[number]['name'], query: number, key: number): Cell => {
      const hidden = !numbers.visible[query][key];
      const value = name === 'bias' ? numbers.bias[query][key] : head[name][query][key];
      const all = cellNumbers(numbers, head, query, key);
      const scale = name === 'weights' ? shade(Math.sqrt(value), 1) : shade(value, most);
      const leaks =
        name === 'weights' &&
        !sequence.isPadding[query] &&
        value > 0 &&
        reasonToHide(sequence, query, key) !== 'none';
      return {
        text: short(value),
        says: text.cellText(sequence.words[query], sequence.words[key], {
          score: exact(all.score),
          bias: exact(all.bias),
          masked: exact(all.masked),
          exp: exact(all.exp),
          weight: exact(all.weight),
        }),
        tone: scale.side,
        strength: hidden && name !== 'scores' ? 0 : scale.strength,
        hidden: hidden && name !== 'scores',
        leak: leaks,
      };
    };
    steps.forEach(({ name, title }, i) => {
      maps[i].update({
        label: title(),
        queries: sequence.words,
        keys: sequence.words,
        cell: (query, key) => cell(name, query, key),
      });
      maps[i].pick(...picked);
    });
    inspector.update(state);
  };

  const key = (look: string, text: () => string): HTMLElement =>
    element('span', { class: 'key' }, element('i', { class: `cell ${look}`, style: '--strength:0.8' }), text); // prettier-ignore
  return {
    element: element(
      'div',
      {},
      element('div', { class: 'steps four' }, ...figures),
      element(
        'p',
        { class: 'legend', 'aria-hidden': 'true' },
        key('plus', () => words().legendPlus),
        key('minus', () => words().legendMinus),
        key('hidden-cell', () => words().legendHidden),
        key('plus leak', () => words().legendLeak),
      ),
      inspector.element,
    ),
    update,
  };
}
