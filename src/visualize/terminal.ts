/** What colors a terminal can show, and how they are written. */
import { assert, describe } from '../util/errors.js';

/** A color: red, green, blue, each 0 … 255. */
export type Color = readonly [number, number, number];

/** How colors are written: not at all, from a palette of 256, or exactly. */
export type ColorDepth = 'none' | '256' | 'truecolor';

/** What a user may ask for. */
export type ColorChoice = 'auto' | boolean | '256' | 'truecolor';

/**
 * Decides on colors. `auto` follows the usual conventions: none when `NO_COLOR` is set, when `TERM` is `dumb`, when
 * standard output is no terminal or there is no process (a browser); `FORCE_COLOR` overrides the last two.
 *
 * @param where Name of the caller, for the error.
 * @param choice What the user asked for; `true` means colors, as many as the terminal says it has.
 * @returns The depth.
 */
export function colorDepth(where: string, choice: ColorChoice): ColorDepth {
  assert(
    choice === 'auto' || typeof choice === 'boolean' || choice === '256' || choice === 'truecolor',
    () =>
      `${where}: color must be 'auto', true, false, '256' or 'truecolor', got color=${describe(choice)}.`,
  );
  if (choice === false) return 'none';
  if (choice === '256' || choice === 'truecolor') return choice;
  const env = typeof process === 'undefined' ? {} : (process.env ?? {});
  const depth = /truecolor|24bit/.test(env.COLORTERM ?? '') || env.WT_SESSION ? 'truecolor' : '256';
  if (choice === true) return depth;
  if (env.NO_COLOR) return 'none';
  if (env.FORCE_COLOR) return env.FORCE_COLOR === '0' ? 'none' : depth;
  const isTerminal = typeof process !== 'undefined' && process.stdout?.isTTY;
  return isTerminal && env.TERM !== 'dumb' ? depth : 'none';
}

/**
 * Writes a text on a colored background, in black or white, whichever reads better.
 *
 * @param text What to write.
 * @param background Color behind it.
 * @param depth How colors are written.
 * @returns The text between escape sequences; as it is when there are no colors.
 */
export function onColor(text: string, background: Color, depth: ColorDepth): string {
  if (depth === 'none') return text;
  const [r, g, b] = background;
  const isLight = 0.299 * r + 0.587 * g + 0.114 * b > 140;
  const front = isLight ? '38;5;16' : '38;5;231';
  const back = depth === 'truecolor' ? `48;2;${r};${g};${b}` : `48;5;${nearest256(background)}`;
  return `\x1b[${front};${back}m${text}\x1b[0m`;
}

const CUBE = [0, 95, 135, 175, 215, 255];

/** The nearest of the 6×6×6 cube and the 24 greys of the 256-color palette. */
function nearest256(color: Color): number {
  const place = color.map((value) => {
    const distances = CUBE.map((level) => Math.abs(level - value));
    return distances.indexOf(Math.min(...distances));
  });
  const cube = place.map((i) => CUBE[i]);
  const mean = (color[0] + color[1] + color[2]) / 3;
  const step = Math.max(0, Math.min(23, Math.round((mean - 8) / 10)));
  const grey = 8 + 10 * step;
  const distance = (other: readonly number[]): number =>
    other.reduce((sum, value, i) => sum + (value - color[i]) ** 2, 0);
  const isGrey = Math.max(...color) - Math.min(...color) < 24; // a dull color must not turn grey altogether
  return isGrey && distance([grey, grey, grey]) < distance(cube)
    ? 232 + step
    : 16 + 36 * place[0] + 6 * place[1] + place[2];
}
