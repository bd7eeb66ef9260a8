/** Step 1: the padding mask AND the causal mask. */
import { element } from '../element.js';
import { makeHeatMap, type Cell } from './heat_map.js';
import type { Part, ViewState } from './state.js';
import { words } from './words.js';

/**
 * Makes the part.
 *
 * @param onPick Called with the cell that the user looks at.
 * @returns The part.
 */
export function maskMaps(onPick: (query: number, key: number) => void): Part {
  const maps = [
    { name: 'padding', title: () => words().paddingMap, map: makeHeatMap(onPick) },
    { name: 'causal', title: () => words().causalMap, map: makeHeatMap(onPick) },
    { name: 'visible', title: () => words().bothMap, map: makeHeatMap(onPick) },
  ] as const;
  const codes = maps.map(() => element('code'));
  const offs = maps.map(() => element('span', { class: 'off' }, () => words().isOff));
  const figures = maps.map(({ name, title, map }, i) =>
    element(
      'figure',
      { class: 'step', 'data-map': name },
      element('figcaption', {}, element('strong', {}, title), ' ', offs[i], codes[i]),
      map.element,
    ),
  );
  const sign = (text: string): HTMLElement =>
    element('span', { class: 'sign', 'aria-hidden': 'true' }, text);
  return {
    element: element(
      'div',
      { class: 'steps three' },
      figures[0],
      sign('∧'),
      figures[1],
      sign('='),
      figures[2],
    ),
    update: ({ sequence, steps, choice, picked }: ViewState) => {
      const text = words();
      const T = steps.length;
      codes[0].textContent = 'masks.padding(ids)';
      codes[1].textContent = `masks.causal(${T})`;
      codes[2].textContent =
        choice.padding && choice.causal
          ? 'masks.and(padding, causal)'
          : choice.padding
            ? 'padding'
            : choice.causal
              ? 'causal'
              : '–';
      maps.forEach(({ name, title, map }, i) => {
        const on = name === 'visible' || choice[name];
        figures[i].classList.toggle('is-off', !on);
        offs[i].hidden = on;
        map.update({
          label: title(),
          queries: sequence.words,
          keys: sequence.words,
          cell: (query, key): Cell => {
            const visible = steps[name][query][key];
            return {
              text: visible ? '1' : '0',
              says: text.maskCell(sequence.words[query], sequence.words[key], visible),
              tone: 'may',
              strength: visible ? 1 : 0,
              hidden: !visible,
            };
          },
        });
        map.pick(...picked);
      });
    },
  };
}
