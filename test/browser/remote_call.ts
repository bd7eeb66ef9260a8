/**
 * Synchronous calls from one worker to another: the caller posts a message and sleeps on shared memory until the
 * answer is there. Answers are bytes; what they hold is agreed between the two sides.
 */

/** What the two sides share. */
export interface Line {
  port: MessagePort;
  memory: SharedArrayBuffer;
}

const HEADER = 3; // state, kind of answer, length in bytes
const EMPTY = 0;
const FULL = 1;
const RESULT = 0;
const ERROR = 1;
const MOST_BYTES = 64 * 2 ** 20;

/** Makes the two ends of a line. */
export function makeLine(): { caller: Line; answerer: Line } {
  const { port1, port2 } = new MessageChannel();
  const memory = new SharedArrayBuffer(4 * HEADER + MOST_BYTES);
  return { caller: { port: port1, memory }, answerer: { port: port2, memory } };
}

/**
 * Asks the other side and waits.
 *
 * @param line The caller's end; not on the main thread, which may not sleep.
 * @param message Anything that can be cloned.
 * @returns The bytes of the answer, a copy.
 * @throws Error with the message of the one that the other side threw.
 */
export function call({ port, memory }: Line, message: unknown): Uint8Array {
  const header = new Int32Array(memory, 0, HEADER);
  port.postMessage(message);
  // In a loop: the notification of the answer before may come late and end this wait too early.
  while (Atomics.load(header, 0) === EMPTY) Atomics.wait(header, 0, EMPTY);
  const bytes = new Uint8Array(memory, 4 * HEADER, header[2]).slice();
  const kind = header[1];
  Atomics.store(header, 0, EMPTY);
  if (kind === ERROR) throw new Error(new TextDecoder().decode(bytes));
  return bytes;
}

/**
 * Answers calls, one after another.
 *
 * @param line The answerer's end.
 * @param answer Computes an answer from a message.
 */
export function answerCalls(
  { port, memory }: Line,
  answer: (message: never) => Promise<Uint8Array>,
): void {
  const header = new Int32Array(memory, 0, HEADER);
  port.onmessage = async ({ data }) => {
    let bytes: Uint8Array;
    try {
      bytes = await answer(data as never);
      header[1] = RESULT;
    } catch (error) {
      bytes = new TextEncoder().encode(error instanceof Error ? error.message : String(error));
      header[1] = ERROR;
    }
    header[2] = bytes.length;
    new Uint8Array(memory, 4 * HEADER).set(bytes);
    Atomics.store(header, 0, FULL);
    Atomics.notify(header, 0);
  };
}

/**
 * Changes every tensor among the inputs of a kernel. Some kernels take an array in place of the record, some an array
 * of tensors under one name.
 *
 * @param inputs What the kernel takes.
 * @param change What becomes of a tensor.
 * @returns The same structure; absent inputs stay absent.
 */
export function mapInputs(inputs: unknown, change: (tensor: never) => unknown): unknown {
  if (inputs === null || inputs === undefined) return inputs;
  if (Array.isArray(inputs)) return inputs.map((input) => mapInputs(input, change));
  if ('dtype' in (inputs as object)) return change(inputs as never);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, mapInputs(input, change)]),
  );
}
