/**
 * Throws an `Error` with the given text when a condition does not hold.
 *
 * Texts follow one pattern: `name: the rule, got thing=value. What to do next.` The text is a function so that
 * it costs nothing while the condition holds.
 *
 * @param condition What must be true.
 * @param message Builds the text of the error.
 * @throws Error with that text when `condition` is false.
 */
export function assert(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}

/**
 * Checks that an argument is an integer within bounds.
 *
 * @param where Name of the function or layer that was called, first word of the error.
 * @param name Name of the argument.
 * @param value What was given.
 * @param min Smallest value allowed, 1 by default.
 * @param max Largest value allowed, no bound by default.
 * @returns The value.
 */
export function assertInteger(
  where: string,
  name: string,
  value: unknown,
  min = 1,
  max = Infinity,
): number {
  assert(
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
    () =>
      `${where}: ${name} must be an integer ${max === Infinity ? `of at least ${min}` : `between ${min} and ${max}`}, ` +
      `got ${name}=${describe(value)}.`,
  );
  return value;
}

/**
 * Checks that an argument is a finite number within bounds.
 *
 * @param where Name of the function or layer that was called.
 * @param name Name of the argument.
 * @param value What was given.
 * @param min Smallest value allowed.
 * @param max Largest value allowed.
 * @returns The value.
 */
export function assertNumber(
  where: string,
  name: string,
  value: unknown,
  min = -Infinity,
  max = Infinity,
): number {
  assert(
    typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max,
    () => {
      const range =
        min === -Infinity && max === Infinity
          ? ''
          : max === Infinity
            ? ` of at least ${min}`
            : min === -Infinity
              ? ` of at most ${max}`
              : ` between ${min} and ${max}`;
      return `${where}: ${name} must be a finite number${range}, got ${name}=${describe(value)}.`;
    },
  );
  return value;
}

/**
 * A value as an error message shows it: strings quoted, objects as short JSON, the rest as it prints.
 *
 * @param value Anything.
 * @returns A text of at most 80 characters.
 */
export function describe(value: unknown): string {
  let text: string;
  if (typeof value === 'string') text = `'${value}'`;
  else if (typeof value === 'object' && value !== null) {
    try {
      text = JSON.stringify(value);
    } catch {
      text = Object.prototype.toString.call(value);
    }
  } else text = String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/**
 * Refuses options that a function does not know, so that a misspelt one is not silently ignored.
 *
 * @param where Name of the function or layer that was called.
 * @param options What was given.
 * @param known Names that may occur.
 * @throws Error naming the unknown option, and the closest known one when there is one.
 */
export function assertKnownOptions(where: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    assert(known.includes(name), () => {
      const near = known.find(
        (k) => k.toLowerCase().replace(/_/g, '') === name.toLowerCase().replace(/_/g, ''),
      );
      return `${where}: unknown option '${name}'. ${near ? `Did you mean '${near}'?` : `Known options: ${known.join(', ')}.`}`;
    });
  }
}
