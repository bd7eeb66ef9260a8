import { formatDuration, formatProgress, Progress } from '../../src/training/progress.js';

const state = {
  step: 30,
  steps: 120,
  loss: 2.34567,
  validationLoss: 2.5,
  tokensPerSecond: 12345.6,
  remaining: 95,
};
const line =
  ' 30/120 █████░░░░░░░░░░░░░░░ 25 % · loss 2.3457 · validation 2.5000 · 12,346 tokens/s · 1:35 left';

test('a state is one line', () => {
  expect(formatProgress(state)).toBe(line);
  expect(formatProgress({ step: 0, steps: 7 })).toBe('0/7 ░░░░░░░░░░░░░░░░░░░░ 0 %');
  expect([0, 34.4, 61, 3723].map(formatDuration)).toEqual(['0:00', '0:34', '1:01', '1:02:03']);
});

test('without an end in sight there is no bar, and labels have the name of what they are', () => {
  expect(formatProgress({ ...state, steps: Infinity, unit: 'examples' })).toBe(
    'step 30 · loss 2.3457 · validation 2.5000 · 12,346 examples/s',
  );
});

test('where the line is too long, the bar gets shorter, then the validation loss goes', () => {
  const at = (width: number): string => formatProgress(state, width);
  expect(at(line.length)).toBe(line);
  expect(at(line.length - 13)).toBe(line.replace('█████░░░░░░░░░░░░░░░', '██░░░░░'));
  const without = line.replace(' · validation 2.5000', '');
  expect(at(79)).toBe(without);
  expect(at(without.length - 15)).toBe(without.replace('█████░░░░░░░░░░░░░░░', '█░░░░'));
  expect(at(1)).toBe(at(without.length - 15));
});

test('on a terminal it is drawn over itself, within the width', () => {
  const shortened = ' 30/120 █░░░░ 25 % ·';
  let text = '';
  const progress = new Progress({ write: (part) => (text += part), isTTY: true, columns: 21 });
  progress.update(state);
  expect(text).toBe(`\r\u001b[K${shortened}`);
  progress.clear();
  progress.clear();
  expect(text.endsWith(`${shortened}\r\u001b[K`)).toBe(true);
  progress.end();
  expect(text.endsWith('\n')).toBe(false);
  progress.update(state);
  progress.end();
  expect(text.endsWith('\n')).toBe(true);
});

test('elsewhere there are twenty lines, and the last', () => {
  const lines: string[] = [];
  const progress = new Progress({ write: (part) => lines.push(part) });
  for (let step = 1; step <= 100; step++) progress.update({ step, steps: 100 });
  expect(lines).toHaveLength(20);
  expect(lines.at(-1)).toBe('100/100 ████████████████████ 100 %\n');
});
