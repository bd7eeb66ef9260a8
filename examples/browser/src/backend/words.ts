/** Texts of the line about the backend. */
import { wordsIn } from '../language.js';

const en = {
  label: 'What computes',
  computesOn: 'Computes on',
  starting: 'Starting …',
  none: 'Nothing can be computed here: no backend has started.',
  measuring: 'Measuring what this device has …',
  perStep: (milliseconds: string, name: string) =>
    `A training step takes ${milliseconds} on ${name}.`,
  details: 'Measurements',
  explanation:
    'Milliseconds of one training step of the small model (2 layers, width 64, 64 rows of 12 tokens), the median of up to five.',
  backend: 'Backend',
  step: 'Training step',
  remark: 'Remark',
  inUse: (message: string) => `in use. ${message}`,
  software: 'no graphics card: imitated in software, slower than wasm',
  notMeasured: 'not measured',
  notYet: (name: string) => `${name} has not been measured yet.`,
  again: 'Measure again',
  isolated: 'This page is cross-origin isolated: wasm may use threads.',
  notIsolated: 'This page is not cross-origin isolated: wasm runs without threads.',
  fallBack: (problem: string, name: string) => `${problem} So this page computes on ${name}.`,
};

/** Texts of the line about the backend, in the language of the moment. */
export const words = wordsIn({
  en,
  zh: {
    label: '计算后端',
    computesOn: '计算后端',
    starting: '正在启动……',
    none: '无法计算：没有后端能启动。',
    measuring: '正在测量本设备可用的后端……',
    perStep: (milliseconds: string, name: string) =>
      `在 ${name} 上，一个训练步需要 ${milliseconds}。`,
    details: '测量结果',
    explanation: '小模型（2 层、宽 64、64 行各 12 个词元）一个训练步的毫秒数，最多五次的中位数。',
    backend: '后端',
    step: '训练步',
    remark: '备注',
    inUse: (message: string) => `使用中。${message}`,
    software: '没有显卡：由软件模拟，比 wasm 慢',
    notMeasured: '未测量',
    notYet: (name: string) => `${name} 尚未测量。`,
    again: '重新测量',
    isolated: '本页已跨源隔离：wasm 可以使用线程。',
    notIsolated: '本页未跨源隔离：wasm 不使用线程。',
    fallBack: (problem: string, name: string) => `${problem} 因此本页在 ${name} 上计算。`,
  } satisfies typeof en,
});
