/** Where Python finds the classes that a configuration names. */

/** Operators of `keras.ops` that are layers of a functional model, by the module of Keras that holds them. */
const OPERATORS: Record<string, string> = {
  core: 'Slice Unstack Cast SaturateCast ConvertToTensor StopGradient',
  nn:
    'Relu Relu6 Sigmoid Softplus Softsign Silu LogSigmoid LeakyRelu HardSigmoid HardSilu Elu Selu Gelu Celu Glu ' +
    'Softmax LogSoftmax OneHot Normalize DotProductAttention RMSNorm LayerNorm Moments',
  math: 'TopK InTopK Logsumexp Rsqrt Erf SegmentReduction',
  linalg: 'Norm',
};

const moduleByOperator = new Map(
  Object.entries(OPERATORS).flatMap(([module, names]) =>
    names.split(' ').map((name) => [name, `keras.src.ops.${module}`] as const),
  ),
);

/** What stands in a configuration under a key that ends so. */
const MODULE_BY_KEY: [RegExp, string][] = [
  [/initializer$/, 'keras.initializers'],
  [/regularizer$/, 'keras.regularizers'],
  [/constraint$/, 'keras.constraints'],
  [/(^|_)(layer|cell)$/, 'keras.layers'],
  [/(^|_)dtype$/, 'keras'],
];

/**
 * The module of a layer or operator.
 *
 * @param className Its class in Python.
 * @param isOperator Whether it is an operator of `keras.ops`.
 * @param registeredName `package>Name` for classes outside Keras.
 * @returns The module's name; null for classes that Python only finds when they are registered.
 */
export function moduleOfLayer(
  className: string,
  isOperator: boolean,
  registeredName: string | null,
): string | null {
  if (isOperator) return moduleByOperator.get(className) ?? 'keras.src.ops.numpy';
  if (registeredName === null) return 'keras.layers';
  return /^keras_(hub|nlp)>/.test(registeredName)
    ? `keras_hub.src.layers.modeling.${snakeCase(className)}`
    : null;
}

/**
 * The module of an object in a layer's configuration.
 *
 * @param key Under which it stands: `kernel_initializer`.
 * @returns The module's name, or null when the key does not tell.
 */
export function moduleOfObject(key: string): string | null {
  return MODULE_BY_KEY.find(([pattern]) => pattern.test(key))?.[1] ?? null;
}

/**
 * A name of JavaScript as Python spells it: `kernelInitializer` is `kernel_initializer`, `MaxPooling1D` is `max_pooling1d`.
 *
 * @param name Camel case.
 * @returns Snake case.
 */
export function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
