/** Texts about the model that is loaded. */
import { wordsIn } from '../language.js';

const en = {
  label: 'The model',
  none: 'No model yet: train one, or load one from files.',
  description: (name: string, parameters: string, vocabulary: string) =>
    `Learned from ${name}: ${parameters} weights, a vocabulary of ${vocabulary} tokens.`,
  import: 'Load from files …',
  importHelp:
    'Or drop them anywhere on this page: model.json with weights.bin, or a .keras file with tokenizer.json.',
  export: 'Save as files',
  forget: 'Delete',
  forgetSure: 'Delete the model and the unfinished run from this browser?',
  forgotten: 'The model was deleted.',
  imported: 'The model was loaded, and is kept in this browser.',
  failed: (message: string) => `That did not work, and nothing has changed. ${message}`,
  notKept: (reason: string) => `This browser does not keep the model: ${reason}`,
};

/** Texts about the model that is loaded, in the language of the moment. */
export const words = wordsIn({
  en,
  zh: {
    label: '模型',
    none: '还没有模型：先训练一个，或从文件载入。',
    description: (name: string, parameters: string, vocabulary: string) =>
      `学习自 ${name}：${parameters} 个权重，词表 ${vocabulary} 个词元。`,
    import: '从文件载入……',
    importHelp:
      '也可以把文件拖到本页任意位置：model.json 和 weights.bin，或 .keras 文件和 tokenizer.json。',
    export: '保存为文件',
    forget: '删除',
    forgetSure: '要从本浏览器中删除模型和未完成的训练吗？',
    forgotten: '模型已删除。',
    imported: '模型已载入，并保存在本浏览器中。',
    failed: (message: string) => `操作未成功，一切保持原样。${message}`,
    notKept: (reason: string) => `本浏览器没有保存模型：${reason}`,
  } satisfies typeof en,
});
