/** The page: its head, the views behind tabs, and the worker that computes for them. */
import { backendView } from './backend/view.js';
import { element } from './element.js';
import { Engine, OFFERED } from './engine/engine.js';
import { mountGenerate } from './generate/view.js';
import { language, setLanguage, type Language } from './language.js';
import { modelView } from './model/view.js';
import { keepOffline } from './offline.js';
import { makeTabs } from './tabs.js';
import { themeSwitch } from './theme.js';
import { mountTrain } from './train/view.js';
import { words } from './words.js';

const engine = new Engine();

const languageSwitch = element(
  'select',
  {
    'aria-label': () => words().language,
    onchange: (event: Event) =>
      setLanguage((event.currentTarget as HTMLSelectElement).value as Language),
  },
  element('option', { value: 'en', lang: 'en' }, 'English'),
  element('option', { value: 'zh', lang: 'zh-Hans' }, '中文'),
);
languageSwitch.value = language();
setLanguage(language());

const model = modelView(engine, () => (location.hash = 'generate'));

document.body.append(
  element(
    'header',
    {},
    element('h1', {}, () => words().title),
    element('p', { class: 'lead' }, () => words().lead),
    element('div', { class: 'switches' }, languageSwitch, themeSwitch()),
  ),
  backendView(engine),
  element(
    'main',
    {},
    ...makeTabs(
      () => words().views,
      [
        {
          name: 'masks',
          label: () => words().masks,
          lazy: true,
          mount: async (panel) => {
            const { mountMasks } = await import('./masks/index.js');
            mountMasks(panel);
          },
        },
        { name: 'train', label: () => words().train, mount: (panel) => mountTrain(panel, engine) },
        {
          name: 'generate',
          label: () => words().generate,
          mount: (panel) => mountGenerate(panel, engine, model),
        },
      ],
    ),
  ),
);

const asked = new URLSearchParams(location.search).get('backend'); // …/?backend=wasm
void engine.begin(OFFERED.find((name) => name === asked));
void keepOffline();
