/** Light, dark, or what the system says. */
import { element } from './element.js';
import { words } from './words.js';

const KEY = 'tfjs-transformers:theme';

/**
 * Makes the switch, and applies what was chosen last.
 *
 * @returns The switch.
 */
export function themeSwitch(): HTMLElement {
  const select = element(
    'select',
    {
      'aria-label': () => words().theme,
      onchange: (event: Event) => apply((event.currentTarget as HTMLSelectElement).value),
    },
    element('option', { value: 'light dark' }, () => words().system),
    element('option', { value: 'light' }, () => words().light),
    element('option', { value: 'dark' }, () => words().dark),
  );
  select.value = localStorage.getItem(KEY) ?? 'light dark';
  apply(select.value);
  return select;
}

/** `color-scheme` decides which side of every `light-dark(…)` in style.css is taken. */
function apply(scheme: string): void {
  localStorage.setItem(KEY, scheme);
  document.documentElement.style.colorScheme = scheme;
  dispatchEvent(new Event('themechange'));
}
