/** The model that is loaded: what it is, and files in and out. */
import { button, fileButton } from '../controls.js';
import { element, setText } from '../element.js';
import type { Engine } from '../engine/engine.js';
import { onLanguage } from '../language.js';
import { words } from './words.js';

/**
 * Makes the section.
 *
 * @param engine What has the model.
 * @param onDrop Called when files were dropped somewhere on the page.
 * @returns The element.
 */
export function modelView(engine: Engine, onDrop: () => void): HTMLElement {
  let message = (): string => '';
  const description = element('p', { id: 'model-description' });
  const status = element('p', { id: 'model-status', role: 'status' });
  const save = button('model-export', () => words().export, attempt(exportFiles, () => '')); // prettier-ignore
  const forget = button('model-forget', () => words().forget, () => {
    if (confirm(words().forgetSure)) void attempt(() => engine.ask.forget(), () => words().forgotten)();
  }); // prettier-ignore
  const importFiles = (files: File[]): void => {
    void attempt(
      () => engine.ask.importModel(files),
      () => words().imported,
    )();
  };

  /** Does something that may fail, and says what came of it. */
  function attempt(task: () => Promise<void>, done: () => string): () => Promise<void> {
    return async () => {
      try {
        await task();
        message = done;
      } catch (error) {
        message = () => words().failed((error as Error).message);
      }
      show();
    };
  }

  async function exportFiles(): Promise<void> {
    for (const { name, bytes } of await engine.ask.exportModel()) {
      const link = element('a', { href: URL.createObjectURL(new Blob([bytes])), download: name });
      link.click();
      URL.revokeObjectURL(link.href);
    }
  }

  function show(): void {
    const { model } = engine;
    setText(
      description,
      model === null
        ? words().none
        : words().description(
            model.name,
            model.parameters.toLocaleString(),
            model.vocabulary.toLocaleString(),
          ),
    );
    save.disabled = forget.disabled = model === null;
    setText(status, message());
  }

  engine.on('model', show);
  engine.on('not-kept', ({ reason }) => {
    message = () => words().notKept(reason);
    show();
  });
  onLanguage(show);

  addEventListener('dragover', (event) => event.preventDefault()); // else the browser opens the file
  addEventListener('drop', (event) => {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    onDrop();
    importFiles(files);
  });

  return element(
    'section',
    { class: 'model', 'aria-label': () => words().label },
    description,
    element(
      'div',
      { class: 'row' },
      fileButton('model-import', () => words().import, { accept: '', multiple: true }, importFiles),
      save,
      forget,
    ),
    element('p', { class: 'help' }, () => words().importHelp),
    status,
  );
}
