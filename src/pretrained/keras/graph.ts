/** One form for the models of Keras 2 and Keras 3: layers, and how each is called. */
import type { Json } from './json.js';

/** A tensor of the graph: an output of a call of a layer. */
export class TensorRef {
  /**
   * @param layer Name of the layer.
   * @param node Which of its calls.
   * @param output Which output of that call.
   */
  constructor(
    readonly layer: string,
    readonly node: number,
    readonly output: number,
  ) {}
}

/** What a layer is called with: tensors, constants, lists and objects of them. */
export type Argument =
  TensorRef | Argument[] | { [name: string]: Argument } | number | string | boolean | null;

/** A call of a layer. */
export interface GraphNode {
  /** Arguments by position, in the order of Python. */
  readonly args: Argument[];
  /** Arguments by Python's names. */
  readonly kwargs: Readonly<Record<string, Argument>>;
}

/** A layer, a nested model or a Python operator. */
export interface GraphLayer {
  /** Its name, unique in its graph. */
  readonly name: string;
  /** Its class without a package: `Dense`. */
  readonly className: string;
  /** Its class with a package, where there is one: `keras_hub>TransformerEncoder`. */
  readonly registeredName: string | null;
  /** Python's module, '' when the file does not say. */
  readonly module: string;
  /** Whether it is an operator of Python (`x + y`) and no layer. */
  readonly isOperator: boolean;
  /** Its configuration as in the file. */
  readonly config: Json;
  /** Where it is in the file: `config.layers[3]`. */
  readonly path: string;
  /** Its calls. */
  readonly nodes: readonly GraphNode[];
  /** What is inside, when it is a model. */
  readonly graph: Graph | null;
}

/** An input or an output of a model. */
export interface GraphPort {
  /** The key, where the model takes or returns a dictionary. */
  readonly key: string | null;
  /** The tensor. */
  readonly tensor: TensorRef;
}

/** A model. */
export interface Graph {
  /** Its name. */
  readonly name: string;
  /** Its layers, in the order of the file. */
  readonly layers: readonly GraphLayer[];
  /** Its inputs. */
  readonly inputs: readonly GraphPort[];
  /** Its outputs. */
  readonly outputs: readonly GraphPort[];
  /** Whether it was made by `keras.Sequential`. */
  readonly isSequential: boolean;
  /** Every call, in an order in which each comes after those that it needs. */
  readonly calls: readonly { layer: GraphLayer; node: number }[];
}

/**
 * The tensors of an argument, in their order.
 *
 * @param argument Any argument.
 * @returns All tensors in it.
 */
export function tensorsIn(argument: Argument): TensorRef[] {
  if (argument instanceof TensorRef) return [argument];
  if (Array.isArray(argument)) return argument.flatMap(tensorsIn);
  if (typeof argument === 'object' && argument !== null) {
    return Object.values(argument).flatMap(tensorsIn);
  }
  return [];
}

/**
 * A layer of a graph by its name.
 *
 * @param graph The graph.
 * @param name Its name.
 * @returns The layer.
 */
export function layerOf(graph: Graph, name: string): GraphLayer {
  return graph.layers.find((layer) => layer.name === name)!;
}
