import { cut, displayWidth, pad, visible } from '../../src/visualize/labels.js';

test.each([
  ['', 0],
  ['abc', 3],
  ['é', 1],
  ['e\u0301', 1],
  ['東京', 4],
  ['ｱ', 1],
  ['Ａ', 2],
  ['한', 2],
  ['😀', 2],
  ['👩‍🚀', 2],
  ['␠', 1],
  ['\x1b[38;5;16;48;5;32m●●\x1b[0m', 2],
])('%p takes %p cells', (label, width) => {
  expect(displayWidth(label)).toBe(width);
});

test.each([
  [' ', '␠'],
  ['  a b ', '␠␠a b␠'],
  ['\n', '␊'],
  ['\x1b[31m', '␛[31m'],
  ['\x7f', '␡'],
  ['a\u200bb\u202e', 'a<200B>b<202E>'],
  ['\u0085', '<0085>'],
  ['\ud83d', '<D83D>'],
  ['\uffff', '<FFFF>'],
  ['👩‍🚀', '👩‍🚀'],
  ['東', '東'],
])('%j is shown as %p', (label, shown) => {
  expect(visible(label)).toBe(shown);
});

test('labels are cut by cells, never within a character', () => {
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdef', 5)).toBe('abcd…');
  expect(cut('東京都', 5)).toBe('東京…');
  expect(cut('東京都', 4)).toBe('東…');
  expect(cut('ab', 1)).toBe('…');
});

test('padding counts cells', () => {
  expect(pad('東', 4, 'left')).toBe('東  ');
  expect(pad('東', 4, 'right')).toBe('  東');
  expect(pad('a', 4, 'center')).toBe(' a  ');
  expect(pad('abc', 2, 'center')).toBe('abc');
});
