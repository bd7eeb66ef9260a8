/**
 * Names of weights, as optimizers and checkpoints use them.
 *
 * TensorFlow.js makes the name of every variable unique in the process: the second model built from the same code has
 * `query/kernel_1` where the first has `query/kernel`. So a name as it stands says nothing about the role of a weight
 * in a model that was loaded or built again; the name without that suffix does.
 */

/**
 * A weight's name without the suffix that TensorFlow.js adds to make it unique.
 *
 * @param name For example `block_0/attention/query/kernel_1`.
 * @returns For example `block_0/attention/query/kernel`.
 */
export function plainWeightName(name: string): string {
  return name.replace(/_\d+$/, '');
}

/**
 * Names that are the same for every copy of a model: without suffixes, and numbered where two would be equal.
 *
 * @param names Names in the order of the model.
 * @returns For example `['a/kernel', 'a/kernel#2', 'b/bias']`.
 */
export function stableWeightNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const plain = plainWeightName(name);
    const count = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, count);
    return count === 1 ? plain : `${plain}#${count}`;
  });
}

/**
 * Whether weight decay acts on a weight, by the last part of its name: `kernel`, `embeddings`, or a name that ends in
 * `_kernel` or `_embeddings` (`reverse_embeddings`, `recurrent_kernel`). Biases, and the gains of normalisations, do
 * not decay. The rank plays no part: the bias of a query projection is [N, H], and must not decay.
 *
 * @param name Name of the weight, with or without the suffix that makes it unique.
 * @returns True when it decays.
 */
export function decaysByDefault(name: string): boolean {
  const last = plainWeightName(name).split('/').pop()!;
  return /(^|_)(kernel|embeddings)$/.test(last);
}
