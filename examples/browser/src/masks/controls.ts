/** Small controls: a choice of a few, a switch, a number with two buttons. */
import { element } from '../element.js';

/** A control in the page. */
export interface Control<Value> {
  /** Put this into the page. */
  element: HTMLElement;
  /** Shows another value. */
  set: (value: Value) => void;
}

let groups = 0;

/**
 * A row of options of which one is chosen: radio buttons.
 *
 * @param label What is chosen.
 * @param options Value and text of each.
 * @param onChange Called with the value that the user chose.
 * @returns The control.
 */
export function segmented<Value extends string | number>(
  label: () => string,
  options: readonly (readonly [Value, string | (() => string)])[],
  onChange: (value: Value) => void,
): Control<Value> {
  const name = `masks-choice-${groups++}`;
  const inputs = options.map(([value]) =>
    element('input', { type: 'radio', name, value, onchange: () => onChange(value) }),
  );
  return {
    element: element(
      'fieldset',
      { class: 'segmented' },
      element('legend', {}, label),
      element(
        'div',
        { class: 'segments' },
        ...options.map(([, text], i) => element('label', {}, inputs[i], element('span', {}, text))),
      ),
    ),
    set: (value) => {
      inputs.forEach((input, i) => (input.checked = options[i][0] === value));
    },
  };
}

/**
 * On or off.
 *
 * @param label What is switched.
 * @param name Value of `data-mask`, for styles and tests.
 * @param onChange Called with the new state.
 * @returns The control.
 */
export function toggle(
  label: () => string,
  name: string,
  onChange: (on: boolean) => void,
): Control<boolean> {
  const input: HTMLInputElement = element('input', {
    type: 'checkbox',
    role: 'switch',
    'data-mask': name,
    onchange: () => onChange(input.checked),
  });
  return {
    element: element('label', { class: 'toggle' }, input, element('span', {}, label)),
    set: (on) => (input.checked = on),
  };
}

/**
 * A whole number with a button on either side.
 *
 * @param label What is counted.
 * @param texts What the buttons say to a screen reader.
 * @param onStep Called with −1 or 1.
 * @returns The control.
 */
export function stepper(
  label: () => string,
  texts: { less: () => string; more: () => string },
  onStep: (by: number) => void,
): Control<{ value: number; least: number; most: number }> {
  const shown = element('output', { 'aria-live': 'polite' });
  const button = (sign: string, text: () => string, by: number): HTMLButtonElement =>
    element('button', { type: 'button', 'aria-label': text, onclick: () => onStep(by) }, sign);
  const less = button('−', texts.less, -1);
  const more = button('+', texts.more, 1);
  return {
    element: element(
      'div',
      { class: 'stepper', role: 'group', 'aria-label': label },
      element('span', { class: 'label' }, label),
      element('div', { class: 'segments' }, less, shown, more),
    ),
    set: ({ value, least, most }) => {
      shown.textContent = String(value);
      less.disabled = value <= least;
      more.disabled = value >= most;
    },
  };
}
