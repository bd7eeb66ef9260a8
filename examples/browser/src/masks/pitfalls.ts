/** Step 4: what happens to those who add, or write −Infinity. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { element } from '../element.js';
import { exact, shade, short } from './format.js';
import { makeHeatMap, type Cell, type HeatMap } from './heat_map.js';
import { ordinaryWays, type OrdinaryWays } from './ordinary_ways.js';
import type { Part, ViewState } from './state.js';
import { words } from './words.js';

const CARDS = ['sum', 'infinity', 'wild'] as const;

/**
 * Makes the part.
 *
 * @param model What `makeModel` returned.
 * @returns The part.
 */
export function pitfalls(model: tfl.LayersModel): Part {
  const titles = {
    sum: () => words().sumTitle,
    infinity: () => words().infinityTitle,
    wild: () => words().wildTitle,
  };
  const cards = CARDS.map((name) => {
    const maps = { ordinary: makeHeatMap(), here: makeHeatMap() };
    const text = element('p');
    const figure = (side: 'ordinary' | 'here'): HTMLElement =>
      element(
        'figure',
        { class: 'step', 'data-map': `${name}-${side}` },
        element('figcaption', {}, () => words()[side]),
        maps[side].element,
      );
    return {
      name,
      maps,
      text,
      element: element(
        'article',
        { class: 'card' },
        element('h3', {}, titles[name]),
        element('div', { class: 'pair' }, figure('ordinary'), figure('here')),
        text,
      ),
    };
  });
  let computed: OrdinaryWays | undefined;
  let run = 0;
  let key = '';

  const show = (): void => {
    if (!computed) return;
    const found = computed;
    const text = words();
    for (const { name, maps, text: paragraph } of cards) {
      fill(maps.ordinary, `${titles[name]()}: ${text.ordinary}`, found, found[name].ordinary);
      fill(maps.here, `${titles[name]()}: ${text.here}`, found, found[name].here);
      paragraph.textContent =
        name === 'wild'
          ? text.wildText(exact(found.wildScore))
          : name === 'sum'
            ? text.sumText
            : text.infinityText;
    }
  };

  return {
    element: element('div', { class: 'cards' }, ...cards.map(({ element }) => element)),
    update: (state: ViewState) => {
      const { sequence, head } = state;
      const real = sequence.words.filter((_, i) => !sequence.isPadding[i]);
      const next = `${head} ${real.slice(0, 3).join(' ')}`;
      if (next === key) {
        show();
        return;
      }
      key = next;
      const own = ++run;
      void ordinaryWays(model, real, head).then((found) => {
        if (own !== run) return;
        computed = found;
        show();
      });
    },
  };
}

function fill(
  map: HeatMap,
  label: string,
  { sequence, visible }: OrdinaryWays,
  weights: number[][],
): void {
  map.update({
    label,
    queries: sequence.words,
    keys: sequence.words,
    cell: (query, key): Cell => {
      const value = weights[query][key];
      const hidden = !visible[query][key];
      const wrong = hidden && value !== 0; // NaN too
      const { side, strength } = shade(Math.sqrt(value), 1);
      return {
        text: short(value),
        says: `${words().cell(sequence.words[query], sequence.words[key])}: ${exact(value)}`,
        tone: side,
        strength: Number.isNaN(value) ? 1 : strength,
        hidden: hidden && !wrong,
        leak: wrong,
      };
    },
  });
}
