/** Keras' list of layers and their weights → a graph that takes images as planes, [batch, channels, height, width]. */
import { invariant, RootstockError } from "../../errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, Value, ValueInfo } from "../../graph/graph.ts";
import { keepPaddingOfMaxPools } from "../../graph/padded-pooling.ts";
import { printable } from "../../graph/printable.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { toFloat32 } from "../../weights/elements.ts";
import type { TensorSource } from "../../weights/tensor-source.ts";
import type { KerasArgument } from "./keras-calls.ts";
import type { KerasLayer, KerasModel } from "./keras-config.ts";
import { type KerasTensor, type Size, toPlain } from "./keras-tensor.ts";
import type { CallArgument, KerasDialect, LayerCall } from "./layer-rule.ts";
import type { Plan } from "./plan.ts";
import { checkInput, type PreparedModel, prepareModel, whereOf } from "./prepare.ts";
import { variablesIn } from "./variables.ts";

/** Layers of models that are used again and again are built again and again: more of them are refused. */
const MAX_CALLS = 50_000;

/**
 * Builds the graph of a model. Initializers are called "layer/variable" and nodes as their layers.
 * @param where the file, for messages.
 * @throws RootstockError UNSUPPORTED_OP naming all layers that cannot be imported; BAD_MODEL naming all weights that are
 * missing; SHAPE_MISMATCH if weights or maps do not fit.
 */
export function importGraph(root: KerasModel, weights: TensorSource, dialect: KerasDialect, where: string): Graph {
  const shape = checkInput(root, where);
  const prepared = prepareModel(root, variablesIn(weights, root), { dialect, where });
  const b = new GraphBuilder(printable(root.name));
  const isFirst = isChannelsFirst(prepared);
  const input = declareInput(b, root.inputs[0]!.layer, shape, isFirst);
  const building: Building = { b, prepared, weights, where, made: new Map(), count: { calls: 0 } };
  const outputs = buildModel(building, root, [input]);
  return keepPaddingOfMaxPools(b.build(outputs.map((output) => outputInfo(b, output))));
}

interface Building {
  readonly b: GraphBuilder;
  readonly prepared: PreparedModel;
  readonly weights: TensorSource;
  readonly where: string;
  /** Initializers by layer, variable and form. */
  readonly made: Map<KerasLayer, Map<string, Value>>;
  readonly count: { calls: number };
}

/** The image as planes; models whose layers work on [c, h, w] have it so already, other inputs stay as in Keras. */
function declareInput(b: GraphBuilder, name: string, shape: readonly Size[], isFirst: boolean): KerasTensor {
  const free = shape.map((size, i) => size ?? (shape.length === 3 ? imageDim(i, isFirst) : `size_${i + 1}`));
  const isPlanes = shape.length === 3 && !isFirst;
  const stored = isPlanes ? [free[2]!, free[0]!, free[1]!] : free;
  const value = b.input({ name: printable(name), dtype: "float32", shape: ["batch", ...stored] });
  return { value, shape, form: isPlanes ? "planes" : "plain" };
}

function imageDim(axis: number, isFirst: boolean): string {
  return (isFirst ? ["channels", "height", "width"] : ["height", "width", "channels"])[axis]!;
}

/** Whether layers of the model say that maps are [c, h, w]. */
function isChannelsFirst({ plans }: PreparedModel): boolean {
  const formats = [...plans.values()].flatMap(({ calls }) => calls.map(({ layer }) => layer.config["data_format"]));
  return formats.includes("channels_first") && !formats.includes("channels_last");
}

/** Runs a model's calls on what it is given. */
function buildModel(building: Building, model: KerasModel, given: readonly KerasTensor[]): readonly KerasTensor[] {
  const { prepared, where, count } = building;
  const plan = prepared.plans.get(model);
  invariant(plan, () => `no plan for "${model.name}"`);
  if (given.length !== plan.inputs.length)
    throw new RootstockError(
      "BAD_MODEL",
      `${where}: "${model.name}" requires ${plan.inputs.length} inputs, got ${given.length}.`,
    );
  const made = new Map(plan.inputs.map((key, i) => [key, [given[i]!] as readonly KerasTensor[]]));
  for (const { layer, call, key } of plan.calls) {
    if (made.has(key)) continue;
    if (++count.calls > MAX_CALLS)
      throw new RootstockError("BAD_MODEL", `${where} requires at most ${MAX_CALLS} applications of layers.`);
    const at = whereOf(layer);
    const resolve = (argument: KerasArgument): CallArgument => resolved(argument, made, plan, at);
    const args = call.args.map(resolve);
    const kwargs = new Map([...call.kwargs].map(([name, argument]) => [name, resolve(argument)]));
    made.set(key, applied(building, layer, { args, kwargs }));
  }
  return model.outputs.map((ref) => {
    const output = made.get(plan.keyOf(ref))?.[ref.tensor];
    if (output) return output;
    throw new RootstockError("BAD_MODEL", `${where}: "${ref.layer}" has no output ${ref.tensor}. The file is damaged.`);
  });
}

/** An argument with its tensors. */
function resolved(
  argument: KerasArgument,
  made: ReadonlyMap<string, readonly KerasTensor[]>,
  plan: Plan,
  where: string,
): CallArgument {
  if (argument.kind === "constant") return argument;
  if (argument.kind === "list")
    return { kind: "list", items: argument.items.map((item) => resolved(item, made, plan, where)) };
  const tensor = made.get(plan.keyOf(argument.ref))?.[argument.ref.tensor];
  if (tensor) return { kind: "tensor", tensor };
  const { layer, tensor: index } = argument.ref;
  throw new RootstockError("BAD_MODEL", `${where} reads output ${index} of "${printable(layer)}", which has no such.`);
}

type Arguments = Pick<LayerCall, "args" | "kwargs">;

/** Applies one layer, or all layers of a model within. */
function applied(building: Building, layer: KerasLayer, given: Arguments): readonly KerasTensor[] {
  const inputs = [...given.args, ...given.kwargs.values()].flatMap(tensorsIn);
  if (layer.model) return buildModel(building, layer.model, inputs);
  const rule = building.prepared.layers.get(layer);
  if (!rule)
    throw new RootstockError("BAD_MODEL", `${building.where}: ${whereOf(layer)} reads nothing. The file is damaged.`);
  return [rule.apply(layerCall(building, layer, { ...given, inputs }))];
}

function tensorsIn(argument: CallArgument): readonly KerasTensor[] {
  if (argument.kind === "tensor") return [argument.tensor];
  return argument.kind === "list" ? argument.items.flatMap(tensorsIn) : [];
}

/** What a rule gets: its arguments, and its weights by variable. */
function layerCall(
  building: Building,
  layer: KerasLayer,
  given: Omit<LayerCall, "b" | "name" | "where" | "tensor" | "weight">,
): LayerCall {
  const { b, prepared, weights, made } = building;
  const name = prepared.names.get(layer) ?? printable(layer.name);
  const where = whereOf(layer);
  const found = prepared.variables.get(layer);
  const own = made.get(layer) ?? new Map<string, Value>();
  made.set(layer, own);
  const read = (variable: string, shape: readonly number[]): Tensor<"float32"> => {
    const stored = found?.get(variable);
    invariant(stored !== undefined, () => `${where} did not declare its variable "${variable}"`);
    const got = weights.info(stored).shape;
    if (got.length !== shape.length || got.some((size, i) => size !== shape[i]))
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `${where} requires its ${variable} to be [${shape}], got "${printable(stored)}" [${got}]. The file is damaged, or of another model.`,
      );
    return toFloat32(weights.read(stored));
  };
  return {
    b,
    name,
    where,
    ...given,
    tensor: read,
    weight(variable, shape, convert) {
      const key = `${variable} ${convert?.form ?? ""}`;
      const earlier = own.get(key);
      if (earlier !== undefined) return earlier;
      const tensor = read(variable, shape);
      const value = b.constant(convert ? convert.apply(tensor) : tensor, `${name}/${variable}`);
      own.set(key, value);
      return value;
    },
  };
}

/** An output in Keras' order, so that what reads the graph finds what Keras gives; maps stay as planes. */
function outputInfo(b: GraphBuilder, output: KerasTensor): ValueInfo {
  const t = typeof output.form === "object" ? toPlain(b, output) : output;
  const sizes = t.form === "planes" ? [t.shape[2], t.shape[0], t.shape[1]] : t.shape;
  const shape = ["batch", ...sizes.map((size, i) => size ?? `output_${i + 1}`)];
  return { name: t.value, dtype: "float32", shape };
}
