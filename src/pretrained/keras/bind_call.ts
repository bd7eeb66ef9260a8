/** Arguments of a call by name, and what is wrong with them. */
import { describe } from '../../util/errors.js';
import { tensorsIn, TensorRef, type Argument, type GraphNode } from './graph.js';
import type { ArgumentKind, LayerEntry } from './layer_entry.js';

/** A call with its arguments by name. */
export interface BoundCall {
  /** Arguments by Python's names. */
  readonly values: Readonly<Record<string, Argument>>;
  /** What is not supported, as texts. */
  readonly problems: string[];
}

/** What an argument that does nothing may be. */
const UNUSED = [null, false, undefined, 0];

/**
 * Binds the arguments of a call to their names.
 *
 * @param entry What is known of the class.
 * @param node The call.
 * @returns Arguments and problems.
 */
export function bindCall(entry: LayerEntry, { args, kwargs }: GraphNode): BoundCall {
  if (entry.isCustom) return bindCustom(args, kwargs);
  const names = Object.keys(entry.call);
  const values: Record<string, Argument> = {};
  const problems: string[] = [];
  args.forEach((value, i) => {
    if (i < names.length) values[names[i]] = value;
    else if ((value ?? null) !== null)
      problems.push(`call argument ${i + 1}, ${describeArgument(value)}`);
  });
  for (const [name, value] of Object.entries(kwargs)) {
    if (name in values) problems.push(`call argument ${name}, given twice`);
    else if (Object.hasOwn(entry.call, name)) values[name] = value;
    else if (!UNUSED.includes(value as null)) {
      problems.push(`call argument ${name}=${describeArgument(value)}`);
    }
  }
  for (const [name, kind] of Object.entries(entry.call)) {
    const value = values[name] as Argument | undefined;
    if (!fits(kind, value)) {
      problems.push(
        `call argument ${name}=${value === undefined ? 'missing' : describeArgument(value)}`,
      );
    } else if (kind === 'list' && value instanceof TensorRef) values[name] = [value];
  }
  return { values, problems };
}

function fits(kind: ArgumentKind, value: Argument | undefined): boolean {
  switch (kind) {
    case 'tensor':
      return value instanceof TensorRef;
    case 'optional':
      return value instanceof TensorRef || (value ?? null) === null;
    case 'list':
      return (
        value instanceof TensorRef ||
        (Array.isArray(value) && value.length > 0 && value.every((one) => one instanceof TensorRef))
      );
    case 'flag':
      return tensorsIn(value ?? null).length === 0;
    case 'unused':
      return UNUSED.includes(value as null) || isEmpty(value);
    case 'any':
      return true;
  }
}

/** A list that holds nothing, as the masks of inputs that have none. */
function isEmpty(value: Argument | undefined): boolean {
  return Array.isArray(value) && value.every((one) => one === null);
}

/** All tensors in their order; constants cannot be handed over, for TensorFlow.js drops them. */
function bindCustom(args: readonly Argument[], kwargs: GraphNode['kwargs']): BoundCall {
  const values: Record<string, Argument> = {};
  const problems: string[] = [];
  for (const [name, value] of [
    ...args.map((arg, i) => [String(i), arg] as const),
    ...Object.entries(kwargs),
  ]) {
    if (tensorsIn(value).length > 0) values[`argument ${name}`] = value;
    else if (!UNUSED.includes(value as null)) {
      problems.push(
        `call argument ${name}=${describeArgument(value)}: TensorFlow.js drops it. Let the class take it as an option`,
      );
    }
  }
  return { values, problems };
}

function describeArgument(value: Argument): string {
  return tensorsIn(value).length > 0 ? 'a tensor' : describe(value);
}
