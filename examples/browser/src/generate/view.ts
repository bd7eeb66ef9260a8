/** The view that generates: options, the text as it comes, and the attention of the token under the cursor. */
import { button, labelled, numberInput, ticked } from '../controls.js';
import { element, setText } from '../element.js';
import type { Engine } from '../engine/engine.js';
import type { GenerateSettings } from '../engine/protocol.js';
import { onLanguage } from '../language.js';
import { words } from './words.js';
import { Written } from './written.js';

/** What the button and the status line follow. */
type State =
  | { name: 'idle' | 'writing' }
  | { name: 'done' | 'stopped'; tokens: number; seconds: number }
  | { name: 'failed'; message: string };

/** Tokens of the sentence about attention. */
const NAMED = 4;

/**
 * Fills the view.
 *
 * @param root The element to fill.
 * @param engine What computes.
 * @param model The section about the model.
 */
export function mountGenerate(root: HTMLElement, engine: Engine, model: HTMLElement): void {
  let state: State = { name: 'idle' };
  let tokens = 0;

  const prompt = element('input', { id: 'generate-prompt', 'aria-describedby': 'prompt-help' });
  const count = numberInput('generate-count', 8, { min: 1, max: 50 });
  const length = numberInput('generate-length', 80, { min: 1, max: 2000 });
  const temperature = numberInput('generate-temperature', 0.8, { min: 0, max: 3, step: 0.05 });
  const topK = numberInput('generate-top-k', 0, { min: 0, max: 10_000 });
  const topP = numberInput('generate-top-p', 1, { min: 0.01, max: 1, step: 0.01 });
  const seed = numberInput('generate-seed', 1, { min: 0, max: 2 ** 31 });
  const attention = element('input', { type: 'checkbox', id: 'generate-attention', checked: true });
  const status = element('p', { role: 'status', id: 'generate-status' });
  // One button writes and stops, so that the focus stays where it is.
  const main = button('generate-main', mainText, act, 'primary');

  const layer = element('select', { id: 'attention-layer', onchange: look });
  const head = element('select', { id: 'attention-head', onchange: look });
  const looked = element('p', { id: 'attention-text', role: 'status' });
  const written = new Written(showLooked);

  const form = element(
    'form',
    {
      onsubmit: (event: Event) => {
        event.preventDefault(); // Enter in a field
        act();
      },
    },
    element('label', { for: prompt.id }, () => words().prompt),
    element('p', { class: 'help', id: 'prompt-help' }, () => words().promptHelp),
    prompt,
    element(
      'div',
      { class: 'row' },
      labelled(() => words().count, count),
      labelled(() => words().length, length),
      labelled(() => words().temperature, temperature),
      labelled(() => words().topK, topK),
      labelled(() => words().topP, topP),
      labelled(() => words().seed, seed),
    ),
    element('p', { class: 'help' }, () => words().optionsHelp),
    ticked(() => words().attention, attention),
    element('div', { class: 'row' }, main),
  );
  root.append(
    model,
    form,
    status,
    element('h2', { id: 'written-title' }, () => words().output),
    element('p', { class: 'help' }, () => words().outputHelp),
    element(
      'div',
      { class: 'row' },
      labelled(() => words().layer, layer),
      labelled(() => words().head, head),
    ),
    looked,
    written.root,
  );
  written.root.setAttribute('aria-labelledby', 'written-title');

  engine.on('row', ({ prompt }) => written.addRow(prompt));
  engine.on('token', ({ text, attention }) => {
    tokens++;
    written.add(text, attention);
    if (tokens === 1) showLayers();
  });
  engine.on('model', show);
  engine.on('backend', show);
  onLanguage(show);
  onLanguage(showLayers);

  function act(): void {
    if (state.name === 'writing') void engine.ask.stopGenerating();
    else if (engine.model && form.reportValidity()) void generate(settings());
  }

  async function generate(settings: GenerateSettings): Promise<void> {
    written.clear();
    tokens = 0;
    setState({ name: 'writing' });
    const before = performance.now();
    try {
      const isDone = await engine.generate(settings);
      const seconds = (performance.now() - before) / 1000;
      setState({ name: isDone ? 'done' : 'stopped', tokens, seconds });
    } catch (error) {
      setState({ name: 'failed', message: (error as Error).message });
    }
  }

  function settings(): GenerateSettings {
    return {
      prompt: prompt.value,
      count: count.valueAsNumber,
      maxNewTokens: length.valueAsNumber,
      temperature: temperature.valueAsNumber,
      topK: topK.valueAsNumber,
      topP: topP.valueAsNumber,
      seed: seed.valueAsNumber,
      attention: attention.checked,
    };
  }

  function setState(next: State): void {
    state = next;
    show();
  }

  function mainText(): string {
    return state.name === 'writing' ? words().stop : words().write;
  }

  function show(): void {
    main.disabled = engine.model === null;
    setText(main, mainText());
    setText(status, statusText());
  }

  function statusText(): string {
    const texts = words().state;
    if (state.name === 'done') return texts.done(state.tokens, (state.tokens / state.seconds).toFixed(0)); // prettier-ignore
    if (state.name === 'stopped') return texts.stopped(state.tokens);
    if (state.name === 'failed') return texts.failed(state.message);
    return state.name === 'idle' && !engine.model ? texts.noModel : texts[state.name];
  }

  function showLayers(): void {
    const { layers } = written;
    const chosenHead = head.value;
    layer.replaceChildren(...layers.map(({ layer }) => element('option', { value: layer }, layer)));
    if (layers.some(({ layer }) => layer === written.layer)) layer.value = written.layer!;
    else layer.selectedIndex = layers.length - 1; // the last one
    written.layer = layer.value;
    const heads = Array.from({ length: layers[0]?.heads ?? 0 }, (_, n) =>
      element('option', { value: n }, String(n)),
    );
    head.replaceChildren(element('option', { value: '' }, words().allHeads), ...heads);
    head.value = chosenHead;
    layer.disabled = head.disabled = layers.length === 0;
    showLooked();
  }

  function look(): void {
    written.layer = layer.value;
    written.head = head.value === '' ? undefined : Number(head.value);
    written.look();
  }

  function showLooked(): void {
    const found = written.looked;
    const quoted = (token: string): string => `“${token.replaceAll('\n', '⏎')}”`;
    if (found) {
      const parts = found.at
        .slice(0, NAMED)
        .map(({ token, weight }) => words().of(quoted(token), `${(100 * weight).toFixed(0)} %`));
      setText(looked, words().looked(quoted(found.token), parts.join(words().comma)));
    } else setText(looked, written.hasChoice ? words().noAttention : words().lookedHelp);
  }
}
