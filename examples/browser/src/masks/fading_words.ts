/** The sentence as one word sees it, while M of the hidden words goes from 0 to −1,000,000,000. */
import { element } from '../element.js';
import { STRENGTHS } from './attention_steps.js';
import { exact, percent } from './format.js';
import { chosenHead, reasonToHide, type Part, type ViewState } from './state.js';
import { words } from './words.js';

/** Where the slider stands at first: words are half gone. */
const FIRST_STRENGTH = STRENGTHS.indexOf(5);

/**
 * Makes the part.
 *
 * @param onReader Called when the user chooses who is looking.
 * @returns The part.
 */
export function fadingWords(onReader: (query: number) => void): Part {
  const row = element('div', {
    class: 'fading',
    role: 'group',
    'aria-label': () => words().readsFrom,
  });
  const slider: HTMLInputElement = element('input', {
    type: 'range',
    id: 'masks-strength',
    min: 0,
    max: STRENGTHS.length - 1,
    step: 1,
    value: FIRST_STRENGTH,
    oninput: () => show(),
  });
  const value = element('output', { for: 'masks-strength', class: 'strength-value' });
  const remark = element('p', { class: 'remark', 'aria-live': 'polite' });
  let state: ViewState | undefined;
  let boxes: { button: HTMLButtonElement; glyph: HTMLElement; share: HTMLElement; tag: HTMLElement }[] = []; // prettier-ignore

  const build = (count: number): void => {
    boxes = Array.from({ length: count }, (_, key) => {
      const glyph = element('span', { class: 'glyph' });
      const share = element('span', { class: 'share' });
      const tag = element('span', { class: 'tag' });
      const bar = element('span', { class: 'bar' });
      const button = element(
        'button',
        { type: 'button', class: 'fading-word', onclick: () => onReader(key) },
        bar,
        element('span', { class: 'slot' }, glyph),
        share,
        tag,
      );
      return { button, glyph, share, tag };
    });
    row.replaceChildren(...boxes.map(({ button }) => button));
  };

  const show = (): void => {
    if (!state) return;
    const { sequence, steps, picked } = state;
    const text = words();
    const [query] = picked;
    const chosen = Number(slider.value);
    const strength = STRENGTHS[chosen];
    const { byStrength, weights } = chosenHead(state);
    const visible = steps.visible[query];
    const seesNothing = !visible.some(Boolean);
    const isLast = chosen === STRENGTHS.length - 1;
    const now = isLast ? weights[query] : byStrength[chosen][query];
    const before = byStrength[0][query];

    if (boxes.length !== sequence.words.length) build(sequence.words.length);
    boxes.forEach(({ button, glyph, share, tag }, key) => {
      const hidden = !visible[key];
      // What is left of a hidden word can be seen; so can a square root of little.
      const left = before[key] > 0 ? Math.sqrt(now[key] / before[key]) : 0;
      const shown = hidden ? Math.min(1, left) : 0.5 + 0.5 * Math.sqrt(now[key]);
      const reason = reasonToHide(sequence, query, key);
      const why = key === query ? text.looking : { future: text.future, padding: text.paddingTag, none: '' }[reason]; // prettier-ignore
      button.setAttribute('aria-pressed', String(key === query));
      button.classList.toggle('hidden-word', hidden);
      button.classList.toggle('leaking', !hidden && reason !== 'none');
      button.setAttribute('aria-label', [sequence.words[key], why, percent(now[key])].filter(Boolean).join(', ')); // prettier-ignore
      button.style.setProperty('--shown', shown.toFixed(3));
      button.style.setProperty('--weight', now[key].toFixed(4));
      glyph.textContent = button.title = sequence.words[key];
      share.textContent = percent(now[key]);
      tag.textContent = why;
    });
    const m = exact(-strength);
    value.textContent = m;
    slider.setAttribute('aria-valuetext', m);
    slider.style.setProperty('--at', String(chosen / (STRENGTHS.length - 1)));
    const left = Math.fround(Math.exp(-strength));
    remark.textContent = seesNothing
      ? text.seesNothing
      : visible.every(Boolean)
        ? text.nothingHidden
        : strength === 0
          ? text.strengthNone
          : left === 0
            ? text.strengthZero(m)
            : text.strengthFactor(m, exact(left));
  };

  return {
    element: element(
      'div',
      { class: 'fading-panel' },
      element('p', { class: 'hint' }, () => words().readsFrom),
      row,
      element(
        'div',
        { class: 'strength' },
        element('label', { for: 'masks-strength' }, () => words().strength),
        value,
        slider,
      ),
      remark,
    ),
    update: (next) => {
      state = next;
      show();
    },
  };
}
