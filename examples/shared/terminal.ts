/** Emphasis for people at a terminal; nothing of it in a pipe or a file. */

const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
const hasStyles =
  !NO_COLOR && (FORCE_COLOR ? FORCE_COLOR !== '0' : process.stdout.isTTY && TERM !== 'dumb');

function style(code: number): (text: string) => string {
  return (text) => (hasStyles ? `\x1b[${code}m${text}\x1b[0m` : text);
}

export const bold = style(1);
export const dim = style(2);
export const green = style(32);
export const red = style(31);

/** Prints a heading with an empty line before it. */
export function heading(text: string): void {
  console.log(`\n${bold(text)}`);
}
