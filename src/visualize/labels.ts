/** Labels of tokens: made printable, measured in terminal cells, cut to size. */

const ANSI = /\x1b\[[0-9;]*m/g; // eslint-disable-line no-control-regex
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\ufe0f|\p{Emoji_Presentation}/u;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Cn}]/gu;

let segmenter: Intl.Segmenter | undefined;

/** Characters as a reader counts them: an accent or a joined emoji belongs to its base. */
function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * How many terminal cells a text takes: 2 for each East Asian wide character and emoji, 0 for combining marks and
 * color sequences, 1 for the rest.
 *
 * @param text One line.
 * @returns Number of cells.
 */
export function displayWidth(text: string): number {
  const plain = text.replace(ANSI, '');
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  return graphemes(plain).reduce(
    (sum, g) => sum + (WIDE.test(g) ? 2 : ZERO_WIDTH.test(g) ? 0 : 1),
    0,
  );
}

/**
 * Makes every character of a label visible: control characters as their symbols (␊, ␉, ␛), spaces at either end as
 * ␠, other invisible ones by their numbers. So a label can neither break a layout nor drive a terminal.
 *
 * @param label Text of a token.
 * @returns One printable line.
 */
export function visible(label: string): string {
  return label
    .replace(/^ +| +$/g, (spaces) => '␠'.repeat(spaces.length))
    .replace(INVISIBLE, (character, at: number) => {
      const code = character.codePointAt(0) as number;
      if (code < 32) return String.fromCodePoint(0x2400 + code);
      if (code === 127) return '␡';
      const joinsEmoji = code === 0x200d && at > 0;
      return joinsEmoji ? character : `<${code.toString(16).toUpperCase().padStart(4, '0')}>`;
    });
}

/**
 * Cuts a label to a number of cells; what was cut shows as `…`.
 *
 * @param label Printable text.
 * @param width Most cells that it may take.
 * @returns The label, or its beginning and `…`.
 */
export function cut(label: string, width: number): string {
  if (displayWidth(label) <= width) return label;
  let result = '';
  for (const grapheme of graphemes(label)) {
    if (displayWidth(result + grapheme) > width - 1) break;
    result += grapheme;
  }
  return `${result}…`;
}

/**
 * Fills a text up with spaces.
 *
 * @param text One line, colors allowed.
 * @param width Cells to fill.
 * @param align Where the text goes.
 * @returns The text in at least that many cells.
 */
export function pad(text: string, width: number, align: 'left' | 'right' | 'center'): string {
  const room = Math.max(0, width - displayWidth(text));
  const before = align === 'left' ? 0 : align === 'right' ? room : room >> 1;
  return ' '.repeat(before) + text + ' '.repeat(room - before);
}

/**
 * Writes a label downwards.
 *
 * @param label Printable text.
 * @returns Its characters, one a line.
 */
export function downwards(label: string): string[] {
  return graphemes(label);
}
