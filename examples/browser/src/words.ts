/** Texts around the views. */
import { wordsIn } from './language.js';

const en = {
  title: 'Transformers in your browser',
  lead: 'Everything on this page is computed on your machine. Nothing is sent anywhere.',
  views: 'Views',
  masks: 'See the mask work',
  train: 'Train',
  generate: 'Generate',
  language: 'Language',
  theme: 'Light or dark',
  system: 'Like the system',
  light: 'Light',
  dark: 'Dark',
};

/** Texts around the views, in the language of the moment. */
export const words = wordsIn({
  en,
  zh: {
    title: '浏览器里的 Transformer',
    lead: '本页的所有计算都在你的设备上完成，不会上传任何内容。',
    views: '视图',
    masks: '看掩码如何起作用',
    train: '训练',
    generate: '生成',
    language: '语言',
    theme: '浅色或深色',
    system: '跟随系统',
    light: '浅色',
    dark: '深色',
  } satisfies typeof en,
});
