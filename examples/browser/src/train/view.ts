/** The view that trains: the text, the controls, the curve, and what the model writes meanwhile. */
import { button, fileButton, labelled, numberInput, ticked } from '../controls.js';
import { element, setText } from '../element.js';
import type { Engine } from '../engine/engine.js';
import type { LossEntry, TrainSettings } from '../engine/protocol.js';
import { onLanguage } from '../language.js';
import { LossCurve } from './loss_curve.js';
import { words } from './words.js';

/** What the buttons and the status line follow. */
type State =
  | { name: 'idle' | 'preparing' | 'training' | 'paused' }
  | { name: 'finished'; step: number }
  /** Stopped in this visit, or cut off in an earlier one: it can go on. */
  | { name: 'stopped' | 'unfinished'; step: number; steps: number }
  | { name: 'failed'; message: string };

const STEPS = 500;
const SEED = 1;

/**
 * Fills the view.
 *
 * @param root The element to fill.
 * @param engine What computes.
 */
export function mountTrain(root: HTMLElement, engine: Engine): void {
  let state: State = { name: 'idle' };
  let last: { loss?: LossEntry; validation?: number; speed?: number } = {};

  const text = element('textarea', {
    ...{ id: 'train-text', rows: 8, spellcheck: 'false' },
    'aria-describedby': 'train-text-help',
  });
  const lines = element('input', { type: 'checkbox', id: 'train-lines', checked: true });
  const size = element(
    'select',
    { id: 'train-size' },
    element('option', { value: 'small' }, () => words().small),
    element('option', { value: 'medium' }, () => words().medium),
  );
  const steps = numberInput('train-steps', STEPS, { min: 10, max: 20_000 });
  const seed = numberInput('train-seed', SEED, { min: 0, max: 2 ** 31 });

  const status = element('p', { role: 'status', id: 'train-status' });
  const progress = element('progress', { max: 1, value: 0, 'aria-label': () => words().progress });
  const figures = element('dl', { class: 'figures', id: 'train-figures' });
  const chart = element('div', { class: 'chart', id: 'train-curve', role: 'img' });
  const samples = element('ol', { class: 'samples', id: 'train-samples', 'aria-live': 'polite' });
  const curve = new LossCurve(chart);

  // One button trains, pauses and resumes, so that the focus stays where it is.
  const main = button('train-main', mainText, act, 'primary');
  const goOn = button('train-go-on', goOnText, () => train(null));
  const stop = button('train-stop', () => words().stop, () => engine.ask.stop()); // prettier-ignore

  const form = element(
    'form',
    { onsubmit: (event: Event) => event.preventDefault() },
    element('label', { for: text.id }, () => words().text),
    element('p', { class: 'help', id: 'train-text-help' }, () => words().textHelp),
    text,
    element(
      'div',
      { class: 'row' },
      button('train-names', () => words().names, showNames),
      fileButton('train-open', () => words().openText, { accept: '.txt,.md,.csv,text/*', multiple: false }, openText), // prettier-ignore
    ),
    ticked(() => words().lines, lines),
    element(
      'div',
      { class: 'row' },
      labelled(() => words().size, size),
      labelled(() => words().steps, steps),
      labelled(() => words().seed, seed),
    ),
    element('div', { class: 'row' }, main, goOn, stop),
  );
  root.append(
    form,
    status,
    progress,
    figures,
    chart,
    element('h2', {}, () => words().samples),
    element('p', { class: 'help' }, () => words().samplesHelp),
    samples,
  );

  engine.on('loss', ({ entry, steps, tokensPerSecond }) => {
    if (entry.loss !== undefined) last.loss = entry;
    last.validation = entry.validation ?? last.validation;
    last.speed = tokensPerSecond ?? last.speed;
    progress.value = entry.step / steps;
    curve.add(entry);
    if (state.name === 'preparing') state = { name: 'training' };
    show();
  });
  engine.on('samples', ({ step, texts }) => {
    const after = element('span', { class: 'help' }, words().afterStep(step));
    samples.prepend(element('li', {}, after, texts.join(' · ')));
  });
  engine.on('backend', show);
  engine.on('ready', ({ unfinished, goOn }) => {
    if (unfinished) {
      const { settings, step, log } = unfinished;
      showSettings(settings);
      showCurve(log);
      progress.value = step / settings.steps;
      setState({ name: 'unfinished', step, steps: settings.steps });
    }
    if (goOn) void train(unfinished ? null : settings());
  });
  void showNames();
  onLanguage(show);

  /** Trains what was chosen; null goes on with the unfinished run. */
  async function train(chosen: TrainSettings | null): Promise<void> {
    if (chosen && !form.reportValidity()) return;
    if (chosen) {
      showCurve([]);
      samples.replaceChildren();
    }
    setState({ name: 'preparing' });
    try {
      const result = await engine.train(chosen);
      if (result.stopped) {
        setState({ name: 'stopped', step: result.step, steps: result.steps });
      } else setState({ name: 'finished', step: result.step });
    } catch (error) {
      setState({ name: 'failed', message: (error as Error).message });
    }
  }

  function settings(): TrainSettings {
    return {
      text: text.value,
      lines: lines.checked,
      size: size.value as TrainSettings['size'],
      steps: steps.valueAsNumber,
      seed: seed.valueAsNumber,
    };
  }

  function showSettings(given: TrainSettings): void {
    text.value = given.text;
    lines.checked = given.lines;
    size.value = given.size;
    steps.valueAsNumber = given.steps;
    seed.valueAsNumber = given.seed;
  }

  async function showNames(): Promise<void> {
    const { names } = await import('./names.js');
    text.value = names;
    lines.checked = true;
  }

  async function openText([file]: File[]): Promise<void> {
    text.value = await file.text();
    lines.checked = false;
  }

  function showCurve(log: LossEntry[]): void {
    last = { loss: log.filter(({ loss }) => loss !== undefined).at(-1) };
    progress.value = 0;
    curve.show(log);
  }

  /** What the main button does. */
  function act(): void {
    if (state.name === 'preparing') return;
    if (state.name === 'training') {
      void engine.ask.pause();
      setState({ name: 'paused' });
    } else if (state.name === 'paused') {
      void engine.ask.resume();
      setState({ name: 'training' });
    } else void train(settings());
  }

  function mainText(): string {
    if (state.name === 'training') return words().pause;
    return state.name === 'paused' ? words().resume : words().start;
  }

  function goOnText(): string {
    return canGoOn(state) ? words().goOn(state.step, state.steps) : '';
  }

  function setState(next: State): void {
    state = next;
    show();
  }

  function show(): void {
    const isRunning = ['preparing', 'training', 'paused'].includes(state.name);
    main.disabled = engine.backend === undefined;
    goOn.hidden = !canGoOn(state) || main.disabled;
    stop.disabled = !isRunning;
    const focused = document.activeElement;
    if ((focused === goOn && goOn.hidden) || (focused === stop && stop.disabled)) main.focus();
    setText(main, mainText());
    setText(goOn, goOnText());
    setText(status, statusText(state));
    const { loss, validation, speed } = last;
    const rows: [string, string | undefined][] = [
      [words().step, loss?.step.toString()],
      [words().trainingLoss, loss?.loss?.toFixed(3)],
      [words().validationLoss, validation?.toFixed(3)],
      [words().speed, speed?.toFixed(0)],
    ];
    figures.replaceChildren(
      ...rows.map(([label, value = '–']) =>
        element('div', {}, element('dt', {}, label), element('dd', {}, value)),
      ),
    );
    const curveText = loss ? words().curve(loss.step, loss.loss!.toFixed(3)) : words().emptyCurve;
    chart.setAttribute('aria-label', curveText);
  }
}

/** Whether a run is there that can go on. */
function canGoOn(state: State): state is Extract<State, { steps: number }> {
  return (state.name === 'stopped' || state.name === 'unfinished') && state.step > 0;
}

function statusText(state: State): string {
  const texts = words().state;
  if (state.name === 'unfinished') return texts.unfinished(state.step, state.steps);
  if (state.name === 'stopped' || state.name === 'finished') return texts[state.name](state.step);
  if (state.name === 'failed') return texts.failed(state.message);
  return texts[state.name];
}
