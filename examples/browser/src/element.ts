/** Building the page: elements whose texts follow the language. */
import { onLanguage } from './language.js';

/** A text, or what gives it in the language of the moment. */
type Text = string | (() => string);

/** What an element can be given: attributes, and `on…` listeners. */
type Properties = Record<string, Text | boolean | number | ((event: never) => unknown)>;

/**
 * Makes an element. A function as a child or attribute is a text that is put in again when the language changes.
 *
 *     element('button', { type: 'button', title: () => words().stop, onclick: stop }, () => words().stop)
 *
 * @param tag Its name.
 * @param properties Attributes (`false` leaves one out), and listeners under `onclick` and the like.
 * @param children Elements and texts.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: (Node | Text)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value as EventListener);
    else if (typeof value === 'function') {
      onLanguage(() => made.setAttribute(name, (value as () => string)()));
    } else if (value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) {
    if (typeof child !== 'function') made.append(child);
    else {
      const text = document.createTextNode('');
      onLanguage(() => (text.data = child()));
      made.append(text);
    }
  }
  return made;
}

/**
 * Changes a text, if it is another one: live regions read out every change.
 *
 * @param node Where it stands.
 * @param text The text.
 */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
