/** Arguments of calls, as Keras 2 and Keras 3 write them. */
import { assert, describe } from '../../util/errors.js';
import { TensorRef, type Argument, type GraphNode } from './graph.js';
import { isObject, objectAt, type Json } from './json.js';

/** Depth to which arguments may nest: more is no model that anybody made. */
const DEEPEST = 32;

/**
 * The calls of a layer.
 *
 * @param where Name and place of the layer, for errors.
 * @param nodes Its `inbound_nodes`.
 * @param names Names of all layers of the graph.
 * @returns One entry a call.
 * @throws Error when they are not of a form that Keras writes.
 */
export function readNodes(where: string, nodes: unknown, names: ReadonlySet<string>): GraphNode[] {
  if (nodes === undefined || nodes === null) return [];
  assert(
    Array.isArray(nodes),
    () => `${where}: inbound_nodes must be a list, got ${describe(nodes)}.`,
  );
  return (nodes as unknown[])
    .filter((node) => !(Array.isArray(node) && node.length === 0))
    .map((node) =>
      isObject(node) && 'args' in node ? readNew(where, node) : readOld(where, node, names),
    );
}

/** Keras 3: `{args, kwargs}`. */
function readNew(where: string, node: Json): GraphNode {
  assert(
    Array.isArray(node.args),
    () => `${where}: args of a call must be a list, got ${describe(node.args)}.`,
  );
  const kwargs = objectAt(node, 'kwargs');
  return {
    args: (node.args as unknown[]).map((value) => readArgument(where, value)),
    kwargs: mapValues(kwargs, (value) => readArgument(where, value)),
  };
}

/** A value of Keras 3's serialisation. */
function readArgument(where: string, value: unknown, depth = 0): Argument {
  assert(depth < DEEPEST, () => `${where}: arguments of a call nest deeper than ${DEEPEST}.`);
  if (Array.isArray(value)) return value.map((one) => readArgument(where, one, depth + 1));
  if (!isObject(value)) return value as Argument;
  const config = objectAt(value, 'config');
  switch (value.class_name) {
    case '__keras_tensor__':
      return readTriple(where, config.keras_history);
    case '__tensor__':
    case '__numpy__':
      return readArgument(where, config.value, depth + 1);
    case '__slice__':
      return {
        slice: [config.start ?? null, config.stop ?? null, config.step ?? null] as Argument,
      };
    case '__ellipsis__':
      return { ellipsis: true };
    case 'DType':
    case 'DTypePolicy':
      return (config.name ?? null) as Argument;
    default:
      return mapValues(value, (one) => readArgument(where, one, depth + 1));
  }
}

/** [name, node, output]. */
function readTriple(where: string, value: unknown): TensorRef {
  const [name, node, output] = Array.isArray(value) ? (value as unknown[]) : [];
  assert(
    typeof name === 'string' && isIndex(node) && isIndex(output),
    () =>
      `${where}: a tensor must be named by [layer, node, output], got ${describe(value)}. The file is broken.`,
  );
  return new TensorRef(name, node as number, output as number);
}

function isIndex(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/**
 * Keras 2: the first argument is [name, node, output, kwargs], or a list of such, or a dictionary of such; all others are
 * in kwargs, tensors among them as [name, node, output].
 */
function readOld(where: string, node: unknown, names: ReadonlySet<string>): GraphNode {
  let kwargs: Json = {};
  const first = (value: unknown, depth: number): Argument => {
    assert(depth < DEEPEST, () => `${where}: arguments of a call nest deeper than ${DEEPEST}.`);
    if (isObject(value)) return mapValues(value, (one) => first(one, depth + 1));
    assert(
      Array.isArray(value),
      () => `${where}: a call must be a list of tensors, got ${describe(value)}.`,
    );
    const entry = value as unknown[];
    if (entry.length >= 3 && typeof entry[0] === 'string' && typeof entry[1] === 'number') {
      if (isObject(entry[3])) kwargs = entry[3];
      return entry[0] === '_CONSTANT_VALUE'
        ? readOldValue(where, entry[2], names)
        : readTriple(where, entry.slice(0, 3));
    }
    return entry.map((one) => first(one, depth + 1));
  };
  const given = first(node, 0);
  const arg = Array.isArray(given) && given.length === 1 ? given[0] : given;
  return { args: [arg], kwargs: mapValues(kwargs, (value) => readOldValue(where, value, names)) };
}

/** A value among Keras 2's kwargs: [name, node, output] is a tensor when there is a layer of that name. */
function readOldValue(
  where: string,
  value: unknown,
  names: ReadonlySet<string>,
  depth = 0,
): Argument {
  assert(depth < DEEPEST, () => `${where}: arguments of a call nest deeper than ${DEEPEST}.`);
  if (Array.isArray(value)) {
    const [name, node, output] = value as unknown[];
    const isTensor = [3, 4].includes(value.length) && isIndex(node) && isIndex(output);
    if (isTensor && typeof name === 'string' && names.has(name)) {
      return new TensorRef(name, node as number, output as number);
    }
    if (name === '_CONSTANT_VALUE') return readOldValue(where, output, names, depth + 1);
    return value.map((one) => readOldValue(where, one, names, depth + 1));
  }
  if (!isObject(value)) return value as Argument;
  if ('start' in value && 'stop' in value && 'step' in value) {
    const place = (one: unknown): Argument => readOldValue(where, one, names, depth + 1);
    return { slice: [place(value.start), place(value.stop), place(value.step)] };
  }
  if (value.class_name === '__ellipsis__' || value.class_name === 'Ellipsis') {
    return { ellipsis: true };
  }
  return mapValues(value, (one) => readOldValue(where, one, names, depth + 1));
}

function mapValues<T>(object: Json, body: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, body(value)]));
}

/**
 * Inputs or outputs of a model: one triple, a list or a dictionary of them, or these nested.
 *
 * @param where Name and place of the model, for errors.
 * @param value `input_layers` or `output_layers`.
 * @returns Tensors with the keys of dictionaries, those of nested ones joined by a dot.
 */
export function readPorts(
  where: string,
  value: unknown,
): { key: string | null; tensor: TensorRef }[] {
  const read = (
    one: unknown,
    key: string | null,
    depth: number,
  ): { key: string | null; tensor: TensorRef }[] => {
    assert(depth < DEEPEST, () => `${where}: inputs or outputs nest deeper than ${DEEPEST}.`);
    if (isObject(one)) {
      if (one.class_name === '__keras_tensor__') {
        return [{ key, tensor: readTriple(where, objectAt(one, 'config').keras_history) }];
      }
      return Object.entries(one).flatMap(([name, inner]) =>
        read(inner, key === null ? name : `${key}.${name}`, depth + 1),
      );
    }
    assert(
      Array.isArray(one),
      () => `${where}: inputs and outputs must be lists of tensors, got ${describe(one)}.`,
    );
    const list = one as unknown[];
    if (typeof list[0] === 'string') return [{ key, tensor: readTriple(where, list.slice(0, 3)) }];
    return list.flatMap((inner) => read(inner, key, depth + 1));
  };
  return read(value, null, 0);
}
