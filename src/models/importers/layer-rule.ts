/** What every layer rule is made of: a checked configuration, the variables it has, and the nodes that it becomes. */
import { z } from "zod";
import { RootstockError } from "../../errors.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { faultsOf } from "../../weights/json-text.ts";
import type { KerasArgument } from "./keras-calls.ts";
import type { KerasTensor } from "./keras-tensor.ts";

/** A variable of a layer by the names that versions of Keras give it; `optional` ones may be missing in a file. */
export interface Variable {
  readonly names: readonly string[];
  readonly optional?: boolean | undefined;
}

/** One application of a layer, as its rule sees it. */
export interface LayerCall {
  readonly b: GraphBuilder;
  /** Name for the node; parts of it are called "name/part". */
  readonly name: string;
  /** For messages: `Conv2D "conv1"`. */
  readonly where: string;
  /** The tensors that it reads, in order. */
  readonly inputs: readonly KerasTensor[];
  /** All arguments, for functions: tensors are indices of `inputs`. */
  readonly args: readonly CallArgument[];
  readonly kwargs: ReadonlyMap<string, CallArgument>;
  /**
   * A variable as the file has it, float32.
   * @throws RootstockError SHAPE_MISMATCH unless it has this shape.
   */
  tensor(variable: string, shape: readonly number[]): Tensor<"float32">;
  /**
   * A variable as an initializer called "layer/variable". Calls with the same `form` share it.
   * @param convert from Keras' layout to the graph's.
   */
  weight(variable: string, shape: readonly number[], convert?: Conversion): Value;
}

/** How a variable is laid out in the graph. */
export interface Conversion {
  /** Tells apart the layouts that one shared layer may need. */
  readonly form: string;
  readonly apply: (t: Tensor<"float32">) => Tensor;
}

/** An argument of a function: a tensor, a list, or plain data. */
export type CallArgument =
  | { readonly kind: "tensor"; readonly tensor: KerasTensor }
  | { readonly kind: "list"; readonly items: readonly CallArgument[] }
  | Extract<KerasArgument, { kind: "constant" }>;

/** A layer whose configuration was checked. */
export interface PreparedLayer {
  readonly variables: readonly Variable[];
  apply(call: LayerCall): KerasTensor;
}

/** What the rules need to know of the file. */
export interface KerasDialect {
  /** Major version of Keras: 2 for tf.keras and TensorFlow.js, 3. */
  readonly version: number;
}

/** Checks the configuration of a layer; a text says why the layer cannot be imported. */
export type LayerRule = (config: unknown, dialect: KerasDialect) => PreparedLayer | string;

export interface LayerRuleParts<C> {
  readonly variables?: (config: C, dialect: KerasDialect) => readonly Variable[];
  readonly apply: (call: LayerCall, config: C, dialect: KerasDialect) => KerasTensor;
}

/** Makes a rule of a schema for the configuration and what the layer does. */
export function layerRule<C>(schema: z.ZodType<C>, { variables, apply }: LayerRuleParts<C>): LayerRule {
  return (json, dialect) => {
    const { success, data: config, error } = schema.safeParse(json);
    if (!success) return faultsOf(error);
    return {
      variables: variables?.(config, dialect) ?? [],
      apply: (call) => apply(call, config, dialect),
    };
  };
}

/** Variables that are called the same in all versions. */
export function variables(...names: readonly (string | false)[]): Variable[] {
  return names.filter((name) => name !== false).map((name) => ({ names: [name] }));
}

/** The one tensor that most layers read. @throws RootstockError BAD_MODEL if there are none or several. */
export function onlyInput({ inputs, where }: Pick<LayerCall, "inputs" | "where">): KerasTensor {
  const [input] = inputs;
  if (input && inputs.length === 1) return input;
  throw new RootstockError("BAD_MODEL", `${where} requires one input, got ${inputs.length}. The file is damaged.`);
}

/** Largest kernel, stride, padding or factor that is read. */
const LARGEST = 65_536;
const count = z.int().min(1).max(LARGEST);
const distance = z.int().min(0).max(LARGEST);

/** Common parts of configurations. */
export const fields = {
  count,
  distance,
  /** A size in both directions. */
  pair: z.union([count.transform((size): [number, number] => [size, size]), z.tuple([count, count])]),
  /** Pixels at the borders: [[top, bottom], [left, right]]. */
  borders: z
    .union([
      distance.transform((size) => [
        [size, size],
        [size, size],
      ]),
      z.tuple([distance, distance]).transform(([y, x]) => [
        [y, y],
        [x, x],
      ]),
      z.tuple([z.tuple([distance, distance]), z.tuple([distance, distance])]),
    ])
    .transform(([rows, columns]) => ({ top: rows![0]!, bottom: rows![1]!, left: columns![0]!, right: columns![1]! })),
  padding: z.enum(["valid", "same"]).default("valid"),
  /** Whether maps are [c, h, w] in Keras. */
  isChannelsFirst: z
    .enum(["channels_last", "channels_first"])
    .nullish()
    .transform((format) => format === "channels_first"),
} as const;
