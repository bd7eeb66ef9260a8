import * as tf from '@tensorflow/tfjs';
import { sideBySide, text } from '../../src/visualize/index.js';
import { describeBackends } from '../support/backends.js';

const SENTENCE = ['The', 'cat', '<PAD>', '<PAD>'];
const plain = { color: false } as const;

/** Lines without the two of the legend. */
const map = (drawn: string): string[] => drawn.split('\n').slice(0, -2);

describeBackends('text', () => {
  test('the padding mask of the textbooks: one row [B,1,1,S] for every query', async () => {
    const mask = tf.tensor4d([1, 1, 0, 0], [1, 1, 1, 4], 'bool');
    expect(await text(mask, { ...plain, queryLabels: SENTENCE, keyLabels: SENTENCE })).toBe(
      [
        '       The   cat  <PAD> <PAD>',
        '  The   ●     ●     ·     ·',
        '  cat   ●     ●     ·     ·',
        '<PAD>   ●     ●     ·     ·',
        '<PAD>   ●     ●     ·     ·',
        '● may attend   · hidden',
        'rows: queries, columns: keys',
      ].join('\n'),
    );
  });

  test('the causal mask of the textbooks', async () => {
    const mask = tf.tensor4d([1, 0, 0, 1, 1, 0, 1, 1, 1], [1, 1, 3, 3], 'bool');
    expect(await text(mask, { ...plain, title: 'causal', legend: false })).toBe(
      ['causal', '  0 1 2', '0 ● · ·', '1 ● ● ·', '2 ● ● ●'].join('\n'),
    );
  });

  test('one of a batch and one of the heads, and no tensor is left behind', async () => {
    const values = tf.range(0, 2 * 3 * 5 * 7).reshape([2, 3, 5, 7]);
    const bits = tf.cast(tf.equal(tf.mod(values, 2), 0), 'bool');
    const before = tf.memory().numTensors;
    const drawn = await text(bits, { ...plain, batch: 1, head: 2, legend: false });
    expect(tf.memory().numTensors).toBe(before);
    // flat index of the first value: (1·3 + 2)·35 = 175, odd
    expect(drawn.split('\n').slice(1)).toEqual([
      '0 · ● · ● · ● ·',
      '1 ● · ● · ● · ●',
      '2 · ● · ● · ● ·',
      '3 ● · ● · ● · ●',
      '4 · ● · ● · ● ·',
    ]);
    const scores = await text(values, { ...plain, batch: 1, head: 1, min: 140, max: 174 });
    expect(scores.split('\n')[1]).toBe('0 ░░ ░░ ░░ ░░ ░░ ░░ ░░');
    expect(scores.split('\n')[5]).toBe('4 ██ ██ ██ ██ ██ ██ ██');
    tf.dispose([values, bits]);
  });
});

describe('scores', () => {
  test('are shaded by quarters of the scale; exactly 0 is a dot', async () => {
    const values = [
      [1, 0, 0],
      [0.25, 0.75, 0],
      [0.5, 0.24, 0.26],
    ];
    expect(await text(values, plain)).toBe(
      [
        '  0  1  2',
        '0 ██ ·  ·',
        '1 ░░ ▓▓ ·',
        '2 ▒▒ ░░ ▒▒',
        '· 0   ░ ≤0.25   ▒ ≤0.5   ▓ ≤0.75   █ ≤1',
        'rows: queries, columns: keys',
      ].join('\n'),
    );
  });

  test('negative values move the low end; a scale can be given; NaN and infinities show', async () => {
    const drawn = await text([[-2, 0, 2]], plain);
    expect(drawn).toContain('0 ░░ ▒▒ ██\n░ ≤-1   ▒ ≤0   ▓ ≤1   █ ≤2\n');
    expect(map(await text([[0.1, 0.3]], { ...plain, max: 0.2 }))[1]).toBe('0 ▒▒ ██');
    const wild = await text([[NaN, -Infinity, Infinity, 1]], plain);
    expect(wild).toContain('0 ?  ░░ ██ ██\n');
    expect(wild).toContain('█ ≤1   ? NaN\n');
    expect(map(await text([[0, 0]], plain))[1]).toBe('0 ·  ·');
    expect(map(await text([[NaN, NaN]], plain))[1]).toBe('0 ?  ?');
    expect(await text([[-1e9, 0]], plain)).toContain('░ ≤-7.5e+8');
  });

  test('kind decides where the dtype does not', async () => {
    const drawn = await text([[0.5, 0, -1]], { ...plain, kind: 'mask', legend: false });
    expect(drawn).toBe('  0 1 2\n0 ● · ●');
    expect(await text([[true, false]], { ...plain, legend: false })).toBe('  0 1\n0 ● ·');
    expect(await text([[true, false]], { ...plain, kind: 'scores', legend: false })).toBe(
      '  0  1\n0 ██ ·',
    );
    const ints = tf.tensor2d([1, 0], [1, 2], 'int32');
    expect(await text(ints, { ...plain, legend: false })).toBe('  0 1\n0 ● ·');
  });
});

describe('layout', () => {
  test('labels of keys go downwards where they do not fit, gaps go where they do not fit either', async () => {
    const mask = [[true, true, false]];
    const keyLabels = ['one', 'eleven', 'x'];
    const options = { ...plain, keyLabels, queryLabels: ['q'], legend: false };
    expect(await text(mask, { ...options, width: 22 })).toBe(
      '   one   eleven   x\nq   ●      ●      ·',
    );
    expect(await text(mask, { ...options, width: 21 })).toBe(
      ['    e', '    l', '    e', '  o v', '  n e', '  e n x', 'q ● ● ·'].join('\n'),
    );
    expect((await text(mask, { ...options, width: 6 })).split('\n').slice(-2)).toEqual([
      '  enx',
      'q ●●·',
    ]);
  });

  test('wide characters take two cells, long labels are cut, control characters show', async () => {
    const labels = ['東京', '\n', ' a ', 'abcdefgh'];
    const mask = labels.map((_, i) => labels.map((_, j) => j <= i));
    const options = { queryLabels: labels, keyLabels: labels, labelWidth: 5, legend: false };
    expect((await text(mask, { ...plain, ...options })).split('\n')).toEqual([
      '      東京    ␊    ␠a␠  abcd…',
      ' 東京   ●     ·     ·     ·',
      '    ␊   ●     ●     ·     ·',
      '  ␠a␠   ●     ●     ●     ·',
      'abcd…   ●     ●     ●     ●',
    ]);
  });

  test('blocks beside one another', async () => {
    const one = await text([[true]], { ...plain, title: '東', legend: false });
    const two = await text([[true], [false]], { color: '256', title: 't', legend: false });
    expect(one).toBe('東\n  0\n0 ●');
    const lines = sideBySide([one, two], { gap: 2 }).split('\n');
    expect(lines.slice(0, 2)).toEqual(['東   t', '  0    0']);
    expect(lines[2]).toBe(`0 ●  ${two.split('\n')[2]}`);
    expect(lines[3]).toBe(`     ${two.split('\n')[3]}`);
    expect(sideBySide([])).toBe('');
  });
});

describe('color', () => {
  const mask = [[true, false]];
  const saved = { ...process.env };
  const wasTTY = process.stdout.isTTY;
  const legend = { legend: false };

  beforeEach(() => {
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'COLORTERM', 'WT_SESSION', 'TERM']) {
      delete process.env[name]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
    }
    process.stdout.isTTY = true;
  });
  afterAll(() => {
    process.env = saved;
    process.stdout.isTTY = wasTTY;
  });

  const exact = '\x1b[38;5;231;48;2;38;139;210m● \x1b[0m\x1b[38;5;231;48;2;58;62;70m  \x1b[0m';
  const palette = '\x1b[38;5;231;48;5;32m● \x1b[0m\x1b[38;5;231;48;5;238m  \x1b[0m';

  test('a mask keeps its mark on a background', async () => {
    expect(await text(mask, { color: 'truecolor', ...legend })).toBe(`  0 1\n0 ${exact}`);
    expect((await text(mask, { color: 'truecolor' })).split('\n')[2]).toBe(
      '\x1b[38;5;231;48;2;38;139;210m ● \x1b[0m may attend   \x1b[38;5;231;48;2;58;62;70m   \x1b[0m hidden',
    );
  });

  test('auto follows the terminal and the usual variables', async () => {
    const drawn = async (): Promise<string> => (await text(mask, legend)).split('\n')[1];
    expect(await drawn()).toMatch(/48;5;/);
    process.env.COLORTERM = 'truecolor';
    expect(await drawn()).toBe(`0 ${exact}`);
    process.env.TERM = 'dumb';
    expect(await drawn()).toBe('0 ● ·');
    process.env.FORCE_COLOR = '1';
    expect(await drawn()).toBe(`0 ${exact}`);
    process.env.FORCE_COLOR = '0';
    process.env.TERM = 'xterm';
    expect(await drawn()).toBe('0 ● ·');
    delete process.env.FORCE_COLOR;
    process.stdout.isTTY = false;
    expect(await drawn()).toBe('0 ● ·');
    process.stdout.isTTY = true;
    process.env.NO_COLOR = '1';
    expect(await drawn()).toBe('0 ● ·');
    expect((await text(mask, { color: true, ...legend })).split('\n')[1]).toBe(`0 ${exact}`);
  });

  test('scores take the ends of the ramp at the ends of the scale; NaN keeps its mark', async () => {
    const [, row, key] = (await text([[0.001, 1, 0, NaN]], { color: 'truecolor', max: 1 })).split(
      '\n',
    );
    const backgrounds = [...row.matchAll(/48;2;([\d;]+)m( +|\? +)/g)].map((m) => [
      m[1],
      m[2].trim(),
    ]);
    expect(backgrounds).toEqual([
      ['68;1;84', ''],
      ['253;231;37', ''],
      ['58;62;70', ''],
      ['215;60;50', '?'],
    ]);
    expect(key).toContain('exactly 0   0 ');
    expect(key).toContain(' NaN');
    expect(await text(mask, { color: '256', ...legend })).toBe(`  0 1\n0 ${palette}`);
  });
});

describe('bad input', () => {
  const zeros =
    (...shape: number[]) =>
    (): tf.Tensor =>
      tf.zeros(shape);
  const cube = zeros(2, 3, 5);
  beforeAll(() => tf.setBackend('cpu'));
  test.each<[unknown, object, string]>([
    [
      [1, 2],
      {},
      'visualize.text: values must have shape [T,S], [B,T,S] or [B,N,T,S] and not be empty, got shape [2].',
    ],
    [[[]], {}, 'got shape [1,0].'],
    [zeros(1, 1, 1, 2, 2), {}, 'got shape [1,1,1,2,2].'],
    ['x', {}, "values must be a tensor or nested arrays, got values='x'."],
    [[[1, 2], [3]], {}, 'nested arrays must hold numbers or booleans and have rows of one length'],
    [[['a']], {}, 'nested arrays must hold numbers or booleans'],
    [
      cube,
      { batch: 2 },
      'batch must be an integer between 0 and 1 for shape [2,3,5], got batch=2.',
    ],
    [cube, { head: 0 }, 'values of shape [2,3,5] have no head axis, got head=0.'],
    [[[1]], { batch: 0 }, 'values of shape [1,1] have no batch axis, got batch=0.'],
    [[[[1]]], { batch: -1 }, 'batch must be an integer of at least 0, got batch=-1.'],
    [
      [[1, 2]],
      { keyLabels: ['a'] },
      'keyLabels must have one label for each of the 2 columns, got 1 labels.',
    ],
    [
      [[1], [2]],
      { queryLabels: [] },
      'queryLabels must have one label for each of the 2 rows, got 0 labels.',
    ],
    [[[1]], { keyLabels: [7] }, 'keyLabels must be an array of strings, got keyLabels=[7].'],
    [[[1]], { kind: 'heat' }, "kind must be 'mask' or 'scores', got kind='heat'."],
    [[[1]], { min: 3, max: 2 }, 'max must not be below min, got min=3, max=2.'],
    [[[1]], { max: NaN }, 'max must be a finite number, got max=NaN.'],
    [
      [[1]],
      { color: 'red' },
      "color must be 'auto', true, false, '256' or 'truecolor', got color='red'.",
    ],
    [[[1]], { width: 0 }, 'width must be an integer of at least 1, got width=0.'],
    [[[1]], { colour: true }, "unknown option 'colour'."],
  ])('%p with %p', async (values, options, message) => {
    const given = typeof values === 'function' ? (values as () => tf.Tensor)() : values;
    await expect(text(given as tf.Tensor, options)).rejects.toThrow(message);
  });

  test('blocks that are no strings', () => {
    expect(() => sideBySide([1] as never)).toThrow(
      'visualize.sideBySide: blocks must be an array of strings, got blocks=[1].',
    );
    expect(() => sideBySide([], { gap: -1 })).toThrow('gap must be an integer of at least 0');
  });
});
