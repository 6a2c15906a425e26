/** What is known of the values of a graph before it runs: types, constants, who makes and who reads them. */
import type { Graph, Node, Value, ValueType } from "../../../graph/graph.ts";
import { producersOf, usedBy } from "../../../graph/traverse.ts";
import { type Tensor, toNumbers } from "../../../tensor/tensor.ts";

/** The sizes [n, c, h, w] of a value that can be blocked. */
export type Sizes = readonly [n: number, c: number, h: number, w: number];

/** Answers about the values of one graph. */
export class Known {
  readonly #types: ReadonlyMap<Value, ValueType>;
  readonly #producers: ReadonlyMap<Value, Node>;
  readonly #uses = new Map<Value, number>();
  readonly #constants: Map<Value, Tensor>;

  /** @param types of all values whose type is known. */
  constructor(graph: Graph, types: ReadonlyMap<Value, ValueType>) {
    this.#types = types;
    this.#producers = producersOf(graph.nodes);
    this.#constants = new Map(graph.initializers);
    for (const { op, outputs, attributes } of graph.nodes) {
      const { value } = attributes;
      if (op === "Constant" && value?.kind === "tensor") this.#constants.set(outputs[0]!, value.value);
    }
    const read = [...graph.nodes.flatMap(usedBy), ...graph.outputs.map(({ name }) => name)];
    for (const value of read) this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
  }

  type(value: Value): ValueType | undefined {
    return this.#types.get(value);
  }

  /** The shape of a value, if all sizes are known and none is zero. */
  shape(value: Value): readonly number[] | undefined {
    const shape = this.#types.get(value)?.shape;
    return shape?.every((size): size is number => typeof size === "number" && size > 0) ? shape : undefined;
  }

  /** Sizes of a value that can be blocked: float32, with two spatial axes. */
  sizes(value: Value): Sizes | undefined {
    const shape = this.shape(value);
    return shape?.length === 4 && this.#types.get(value)!.dtype === "float32" ? (shape as Sizes & number[]) : undefined;
  }

  /** The numbers of a value that is known before the graph runs. */
  numbers(value: Value): readonly number[] | undefined {
    const tensor = this.#constants.get(value);
    return tensor && toNumbers(tensor);
  }

  /** Whether one node alone reads a value, and nobody outside the graph does. */
  usedOnce(value: Value): boolean {
    return this.#uses.get(value) === 1;
  }

  producer(value: Value): Node | undefined {
    return this.#producers.get(value);
  }

  /** Whether a value is a float32 map of these sizes. */
  hasSizes(value: Value, sizes: Sizes): boolean {
    return this.sizes(value)?.every((size, i) => size === sizes[i]) === true;
  }
}
