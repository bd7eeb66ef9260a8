/** Views behind tabs, as the ARIA practices describe them: arrow keys move, the address remembers. */
import { element } from './element.js';

/** One view. */
export interface Tab {
  /** Its name in the address, after `#`. */
  name: string;
  /** What its tab says. */
  label: () => string;
  /** Fills the view. */
  mount: (panel: HTMLElement) => unknown;
  /** Whether it is only filled when it is first shown. */
  lazy?: boolean;
}

/**
 * Makes the tabs and their panels, and shows the one that the address names, else the first.
 *
 * @param label What the row of tabs is called.
 * @param tabs The views.
 * @returns Elements to put into the page.
 */
export function makeTabs(label: () => string, tabs: readonly Tab[]): HTMLElement[] {
  const buttons = tabs.map(({ name, label }) =>
    element(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${name}`,
        'aria-controls': `view-${name}`,
        onclick: () => (location.hash = name),
      },
      label,
    ),
  );
  const panels = tabs.map(({ name }) =>
    element('section', {
      role: 'tabpanel',
      id: `view-${name}`,
      class: 'view',
      'aria-labelledby': `tab-${name}`,
      tabindex: 0,
    }),
  );
  const waiting = new Set(tabs.filter(({ lazy }) => lazy));
  const show = (): void => {
    const named = tabs.findIndex(({ name }) => `#${name}` === location.hash);
    const shown = Math.max(0, named);
    tabs.forEach((tab, i) => {
      buttons[i].setAttribute('aria-selected', String(i === shown));
      buttons[i].tabIndex = i === shown ? 0 : -1; // one stop of the Tab key; arrows move within
      panels[i].hidden = i !== shown;
      if (i === shown && waiting.delete(tab)) tab.mount(panels[i]);
    });
  };
  const move = (event: KeyboardEvent): void => {
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    location.hash = tabs[next].name;
    buttons[next].focus();
  };
  addEventListener('hashchange', show);
  const list = element(
    'div',
    { role: 'tablist', 'aria-label': label, class: 'tabs', onkeydown: move },
    ...buttons,
  );
  tabs.forEach(({ lazy, mount }, i) => {
    if (!lazy) mount(panels[i]);
  });
  show();
  return [list, ...panels];
}
