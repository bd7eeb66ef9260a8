/** Step 3: one word is changed; four strips show who notices under each choice of masks. */
import type * as tfl from '@tensorflow/tfjs-layers';
import { element } from '../element.js';
import { exact, short } from './format.js';
import { wordIds } from './sentence.js';
import type { Part, ViewState } from './state.js';
import { CHOICES, whoNotices, type RowChange } from './who_notices.js';
import { words } from './words.js';

/**
 * Makes the part.
 *
 * @param model What `makeModel` returned.
 * @returns The part.
 */
export function proof(model: tfl.LayersModel): Part {
  const place: HTMLSelectElement = element('select', {
    'aria-label': () => words().change,
    'data-proof': 'place',
    onchange: () => {
      chosen = Number(place.value);
      void compute();
    },
  });
  const word: HTMLInputElement = element('input', {
    type: 'text',
    'aria-label': () => words().into,
    'data-proof': 'word',
    maxlength: 20,
    oninput: () => {
      typed = word.value.trim();
      void compute();
    },
  });
  const table = element('table', { class: 'strips' });
  const verdict = element('p', { class: 'verdict', 'aria-live': 'polite' });
  const notes = element('p', { class: 'hint' }, () => words().legitimate);
  let state: ViewState | undefined;
  let chosen: number | undefined; // none: the last word
  let typed = ''; // empty: the word of the language
  let results: RowChange[][] = [];
  let shownPlace = 0;
  let run = 0;

  const changedPlace = ({ sequence: { isPadding } }: ViewState): number =>
    chosen !== undefined && chosen < isPadding.length ? chosen : isPadding.lastIndexOf(false);

  const compute = async (): Promise<void> => {
    if (!state) return;
    const own = ++run;
    const at = changedPlace(state);
    const { sequence } = state;
    const found = await whoNotices(model, sequence, at, typed || words().other);
    if (own !== run) return; // a newer one is under way
    results = found;
    shownPlace = at;
    show();
  };

  const show = (): void => {
    if (!state || results.length === 0 || results[0].length !== state.steps.length) return;
    const { sequence, choice } = state;
    const text = words();
    const names = [text.noMask, text.onlyPadding, text.onlyCausal, text.bothMasks];
    const replacement = typed || text.other;
    const most = Math.max(...results.flat().map(({ difference }) => difference), 1e-9);
    const head = element('tr', {}, element('th', { scope: 'col' }, text.rowOf));
    sequence.words.forEach((old, i) => {
      head.append(
        i === shownPlace
          ? element('th', { scope: 'col', class: 'changed' }, element('del', {}, old), element('ins', {}, replacement)) // prettier-ignore
          : element('th', { scope: 'col', class: sequence.isPadding[i] ? 'is-padding' : '' }, old),
      );
    });
    const cell = ({ identical, difference }: RowChange, i: number): HTMLElement => {
      const own = i === shownPlace;
      const entitled = !sequence.isPadding[shownPlace] && i > shownPlace;
      const kind = own ? 'self' : identical ? 'same' : sequence.isPadding[i] || entitled ? 'allowed' : 'leaks'; // prettier-ignore
      const says = own
        ? text.itself
        : identical
          ? text.identical
          : `${text.changedBy(exact(difference))}${kind === 'leaks' ? `, ${text.leakRow}` : ''}`;
      const made = element('td', { class: kind, 'data-kind': kind, title: says }, own ? '✎' : identical ? '=' : short(difference)); // prettier-ignore
      made.setAttribute('aria-label', says);
      made.style.setProperty('--strength', Math.sqrt(difference / most).toFixed(3));
      return made;
    };
    const rows = CHOICES.map(({ padding, causal }, c) => {
      const isOn = padding === choice.padding && causal === choice.causal;
      const name = padding ? (causal ? 'both' : 'padding') : causal ? 'causal' : 'none';
      const row = element(
        'tr',
        { 'data-choice': name, ...(isOn ? { class: 'is-on', 'aria-current': 'true' } : {}) },
        element('th', { scope: 'row' }, names[c]),
      );
      results[c].forEach((change, i) => row.append(cell(change, i)));
      return row;
    });
    table.replaceChildren(
      element('caption', { class: 'unseen' }, text.tableLabel),
      element('thead', {}, head),
      element('tbody', {}, ...rows),
    );
    const on = CHOICES.findIndex(
      ({ padding, causal }) => padding === choice.padding && causal === choice.causal,
    );
    const others = results[on].filter((_, i) => i !== shownPlace && !sequence.isPadding[i]);
    const equal = others.filter(({ identical }) => identical).length;
    const [same] = wordIds([replacement]);
    verdict.textContent =
      same === sequence.ids[shownPlace] ? text.sameWord : text.verdict(equal, others.length);
  };

  return {
    element: element(
      'div',
      { class: 'proof' },
      element(
        'div',
        { class: 'sentence-change' },
        element('span', {}, () => words().change),
        place,
        element('span', {}, () => words().into),
        word,
      ),
      element('div', { class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': () => words().tableLabel }, table), // prettier-ignore
      verdict,
      notes,
    ),
    update: (next) => {
      const isNew =
        state?.sequence.ids.join() !== next.sequence.ids.join() ||
        state.sequence.isPadding.join() !== next.sequence.isPadding.join();
      state = next;
      place.replaceChildren(
        ...next.sequence.words.map((old, i) => element('option', { value: i }, `${i + 1}  ${old}`)),
      );
      place.value = String(changedPlace(next));
      word.placeholder = words().other;
      if (isNew || (typed === '' && results.length > 0)) void compute();
      show();
    },
  };
}
