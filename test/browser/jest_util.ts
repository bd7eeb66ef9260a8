/** Takes the place of jest-util and jest-message-util, which need Node: what the package `expect` takes from them. */

export function pluralize(word: string, count: number, ending = 's'): string {
  return `${count} ${word}${count === 1 ? '' : ending}`;
}

export function isPromise(candidate: unknown): boolean {
  return typeof (candidate as PromiseLike<unknown> | null)?.then === 'function';
}

/** An error, thrown by `expect.assertions`. */
export class ErrorWithStack extends Error {}

/** Text of an error that was thrown where none was expected. */
export function formatExecError(error: unknown): string {
  return String(error instanceof Error ? error.stack : error);
}

export function separateMessageFromStack(stack: string): { message: string; stack: string } {
  return { message: '', stack };
}

export function formatStackTrace(stack: string): string {
  return stack;
}
