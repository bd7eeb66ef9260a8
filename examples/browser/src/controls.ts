/** Controls that more than one view has. */
import { element } from './element.js';

type Words = () => string;

/**
 * Makes a button.
 *
 * @param id Its id.
 * @param text What it says.
 * @param onclick What it does.
 * @param className Classes; `primary` for what the view is there for.
 */
export function button(
  id: string,
  text: Words,
  onclick: () => unknown,
  className = '',
): HTMLButtonElement {
  return element('button', { type: 'button', id, onclick, class: className }, text);
}

/**
 * Makes a button that lets people choose files.
 *
 * @param id Its id; that of the input behind it is `ID-files`.
 * @param text What it says.
 * @param accept Endings and types of the files; all when empty.
 * @param multiple Whether several can be chosen.
 * @param onchoice Gets the files.
 */
export function fileButton(
  id: string,
  text: Words,
  { accept, multiple }: { accept: string; multiple: boolean },
  onchoice: (files: File[]) => unknown,
): HTMLElement {
  const input = element('input', {
    ...{ type: 'file', id: `${id}-files`, accept, multiple, hidden: true },
    onchange: () => {
      const files = [...(input.files ?? [])];
      input.value = ''; // so that the same file can be chosen again
      onchoice(files);
    },
  });
  return element(
    'span',
    {},
    button(id, text, () => input.click()),
    input,
  );
}

/**
 * Makes a field for a number.
 *
 * @param id Its id.
 * @param value Its first value.
 * @param range `min`, `max`, and `step`, which is 1 unless given.
 */
export function numberInput(
  id: string,
  value: number,
  range: { min: number; max: number; step?: number },
): HTMLInputElement {
  return element('input', { type: 'number', id, value, required: true, step: 1, ...range });
}

/**
 * Puts a label above a field.
 *
 * @param text What it says.
 * @param field The field; it has an id.
 */
export function labelled(text: Words, field: HTMLElement): HTMLElement {
  return element('div', { class: 'field' }, element('label', { for: field.id }, text), field);
}

/**
 * Makes a box to tick.
 *
 * @param text What stands beside it.
 * @param box The box.
 */
export function ticked(text: Words, box: HTMLInputElement): HTMLElement {
  return element('label', { class: 'check' }, box, element('span', {}, text));
}
