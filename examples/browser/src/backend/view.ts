/** The line that says what computes, how fast, and lets people change it. */
import { element, setText } from '../element.js';
import type { Candidate, Engine } from '../engine/engine.js';
import type { BackendName } from '../engine/protocol.js';
import { onLanguage } from '../language.js';
import { words } from './words.js';

/**
 * Makes the line.
 *
 * @param engine Whose backend it is.
 * @returns The element.
 */
export function backendView(engine: Engine): HTMLElement {
  const select = element('select', {
    id: 'backend',
    onchange: () => void engine.use(select.value as BackendName),
  });
  const status = element('span', { role: 'status', id: 'backend-status' });
  const rows = element('tbody');
  const again = element(
    'button',
    { type: 'button', id: 'measure-again', onclick: () => void engine.measureAll() },
    () => words().again,
  );

  const show = (): void => {
    const { backend, candidates, activity } = engine;
    select.replaceChildren(...candidates.map((candidate) => option(candidate)));
    if (backend) select.value = backend;
    select.disabled = again.disabled = activity !== null;
    setText(status, statusOf(engine));
    rows.replaceChildren(...candidates.map((candidate) => row(candidate, engine)));
  };
  engine.on('backend', show);
  engine.on('ready', show);
  onLanguage(show);

  return element(
    'section',
    { class: 'backend', 'aria-label': () => words().label },
    element('label', { for: 'backend' }, () => words().computesOn),
    select,
    status,
    element(
      'details',
      {},
      element('summary', {}, () => words().details),
      element('p', {}, () => words().explanation),
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...(['backend', 'step', 'remark'] as const).map((name) =>
              element('th', { scope: 'col' }, () => words()[name]),
            ),
          ),
        ),
        rows,
      ),
      element('p', {}, () => (crossOriginIsolated ? words().isolated : words().notIsolated)),
      again,
    ),
  );
}

function statusOf({ backend, candidates, notice, activity }: Engine): string {
  const text = words();
  if (!backend) return activity ? text.starting : text.none;
  const time = candidates.find(({ name }) => name === backend)?.milliseconds;
  return [
    notice && text.fallBack(notice.trim(), backend),
    time !== undefined && text.perStep(milliseconds(time), backend),
    time === undefined && !activity && text.notYet(backend),
    activity && text[activity],
  ]
    .filter(Boolean)
    .join(' ');
}

function option({ name, milliseconds: time }: Candidate): HTMLOptionElement {
  return element(
    'option',
    { value: name },
    time === undefined ? name : `${name} · ${milliseconds(time)}`,
  );
}

function row(candidate: Candidate, { backend, message }: Engine): HTMLElement {
  const { name, milliseconds: time, problem, isSoftware } = candidate;
  const text = words();
  const remarks = [
    name === backend && text.inUse(message),
    isSoftware && text.software,
    problem,
  ].filter(Boolean);
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    element('td', {}, time === undefined ? text.notMeasured : milliseconds(time)),
    element('td', {}, remarks.join(' ')),
  );
}

function milliseconds(time: number): string {
  return `${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`;
}
