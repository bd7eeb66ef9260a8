/** Which operator of Keras an operator of JavaScript is: the table of `operator_entries.ts`, read the other way. */
import type { Argument } from './graph.js';
import { OPERATORS } from './operator_entries.js';

/** An operator of Keras: what its call takes, and its options. */
export interface OperatorCounterpart {
  /** Its class. */
  readonly className: string;
  /** Arguments of its call. */
  readonly args: Argument[];
  /** Its options. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The operator of Keras that does the same.
 *
 * @param op Its name, as `layers.operator` has it.
 * @param operands Its operands.
 * @returns The operator, or null when there is none.
 */
export function operatorCounterpart(
  op: string,
  operands: readonly Argument[],
): OperatorCounterpart | null {
  const found = Object.entries(OPERATORS).find(([, operator]) => operator[0] === op);
  if (!found || op === 'pad') return null;
  const [className, [, tensors, parameters = '']] = found;
  if (op === 'getItem') return { className, args: [...operands], options: {} };
  const taken = tensors.split(' ').length;
  const names = parameters === '' ? [] : parameters.split(' ');
  // Keras' own default is the tanh form, ours is the exact one.
  const options: Record<string, unknown> = op === 'gelu' ? { approximate: false } : {};
  operands.slice(taken).forEach((operand, i) => {
    if (operand !== null) options[names[i]] = operand;
  });
  return { className, args: operands.slice(0, taken), options };
}
