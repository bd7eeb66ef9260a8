/** Finds the arrays of a file for the weights of a model. */
import type { StoredArray, SavedModel } from './saved_model.js';
import type { WeightPlace } from './weight_places.js';

/** Weights with their arrays, and what does not fit. */
export interface MatchedWeights {
  /** Each weight with its array and the array's name in the file. */
  readonly matches: { place: WeightPlace; name: string; array: StoredArray }[];
  /** What is missing, too much, or of another shape, as texts. */
  readonly problems: string[];
}

/** Parts of a file that are no weights of layers: states of optimizers, metrics and random generators. */
const NO_WEIGHT =
  /(^|\/)(optimizer|optimizer_weights|metrics|_metrics|compile_metrics|loss_tracker|seed_generator|seed_generator_state|top_level_model_weights)(\/|_|$)/;

/**
 * Whether an array belongs to an optimizer, a metric or a random generator.
 *
 * @param name Its name in the file.
 * @returns Whether it is no weight of a layer.
 */
export function isStateOfTraining(name: string): boolean {
  return NO_WEIGHT.test(name);
}

/**
 * Finds the array of each weight.
 *
 * @param saved The file.
 * @param places The weights and where files have them.
 * @returns Matches and problems.
 */
export function matchWeights(saved: SavedModel, places: readonly WeightPlace[]): MatchedWeights {
  const names = [...saved.weights.keys()].filter((name) => !isStateOfTraining(name));
  const isTree = names.some((name) => /(^|\/)vars\/\d+$/.test(name));
  const found = isTree ? byTree(names, places) : byName(saved, names, places);
  const problems: string[] = [];
  const matches: MatchedWeights['matches'] = [];
  places.forEach((place, i) => {
    const { variable, layer } = place;
    const what = `weight ${place.name} [${variable.shape.join()}] of layer '${layer.name}' (${layer.path})`;
    const name = found[i];
    const array = name === null ? undefined : saved.weights.get(name);
    if (name === null || !array) {
      problems.push(`${what} is missing${isTree ? `, looked for ${place.treePath}` : ''}`);
    } else if (array.shape.join() !== variable.shape.join()) {
      problems.push(`${what} has shape [${array.shape.join()}] in the file, at ${name}`);
    } else if (array.tensorType === null) {
      problems.push(
        `${what} has dtype ${array.dtype} in the file, at ${name}, which cannot be read`,
      );
    } else matches.push({ place, name, array });
  });
  const used = new Set(found);
  for (const name of names) {
    if (!used.has(name)) problems.push(`${name} is in the file, and no layer has such a weight`);
  }
  return { matches, problems };
}

/** `.keras`: by path. */
function byTree(names: readonly string[], places: readonly WeightPlace[]): (string | null)[] {
  const known = new Set(names);
  // Files of Keras 2.12 and 2.13 keep the layers of functional models under another name.
  const old = names.some((name) => name.startsWith('_layer_checkpoint_dependencies/'));
  return places.map(({ treePath }) => {
    const path = old
      ? treePath.replace(/(^|\/)layers\//g, '$1_layer_checkpoint_dependencies/')
      : treePath;
    if (known.has(path)) return path;
    return known.has(treePath) ? treePath : null;
  });
}

/** HDF5 and `model.json`: by the names of layer and weight; by their order where the names are others. */
function byName(
  saved: SavedModel,
  names: readonly string[],
  places: readonly WeightPlace[],
): (string | null)[] {
  const plain = new Map(names.map((name) => [name, name.replace(/:\d+$/, '')]));
  const found = new Map<WeightPlace, string>();
  const taken = new Set<string>();
  for (const own of byLayer(places)) {
    const [{ layer, models }] = own;
    const candidates = candidatesOf(saved, names, [...models, layer.name]).filter(
      (name) => !taken.has(name),
    );
    const exact = own.map(({ name }) => {
      const ends = candidates.filter((candidate) => {
        const text = plain.get(candidate)!;
        return text === `${layer.name}/${name}` || text.endsWith(`/${layer.name}/${name}`);
      });
      return ends.length === 1 ? ends[0] : null;
    });
    const chosen = exact.includes(null)
      ? inOrder(own, candidates, plain, layer.name, (name) => saved.weights.get(name)?.shape.join())
      : exact;
    own.forEach((place, i) => {
      const name = chosen?.[i];
      if (!name) return;
      found.set(place, name);
      taken.add(name);
    });
  }
  return places.map((place) => found.get(place) ?? null);
}

function byLayer(places: readonly WeightPlace[]): WeightPlace[][] {
  const groups = new Map<string, WeightPlace[]>();
  for (const place of places) {
    const key = [...place.models, place.layer.name].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), place]);
  }
  return [...groups.values()];
}

/** Arrays that may be those of a layer inside models. */
function candidatesOf(
  saved: SavedModel,
  names: readonly string[],
  path: readonly string[],
): string[] {
  const [top] = path;
  const listed = saved.layerWeightNames?.get(top);
  // In HDF5 they are listed in the order of the variables.
  if (listed)
    return listed.map((name) => `${top}/${name}`).filter((name) => saved.weights.has(name));
  const layer = path[path.length - 1];
  return names.filter((name) => name.split('/').slice(0, -1).includes(layer));
}

/** As many arrays as weights: they are in the same order, if their last names and shapes agree. */
function inOrder(
  own: readonly WeightPlace[],
  candidates: readonly string[],
  plain: ReadonlyMap<string, string>,
  layer: string,
  shapeOf: (name: string) => string | undefined,
): (string | null)[] | null {
  const inside = candidates.filter((name) => plain.get(name)!.split('/').includes(layer));
  const listed = candidates.length === own.length ? candidates : inside;
  if (listed.length !== own.length) return null;
  const last = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
  const agrees = own.every(({ name }, i) => last(plain.get(listed[i])!) === last(name));
  if (agrees) return [...listed];
  // The same names in another order.
  const byLast = own.map(({ name }) =>
    listed.filter((one) => last(plain.get(one)!) === last(name)),
  );
  if (byLast.every((some) => some.length === 1)) return byLast.map(([one]) => one);
  // Other names: the order of the variables is the same.
  const fits = own.every(({ variable }, i) => shapeOf(listed[i]) === variable.shape.join());
  return fits ? [...listed] : null;
}
