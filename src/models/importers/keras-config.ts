/**
 * Keras' description of a model as plain data: layers, and which tensors each call of a layer reads. Reads what Keras 2
 * (tf.keras and TensorFlow.js) and Keras 3 write. Nothing named in it is ever imported or run.
 */
import { z } from "zod";
import { RootstockError } from "../../errors.ts";
import { checkJson } from "../../weights/json-text.ts";
import { type KerasCall, type KerasRef, parseCalls, parseRefs } from "./keras-calls.ts";

/** A layer, or a model within a model. */
export interface KerasLayer {
  readonly className: string;
  /** Where the class is from: "keras.layers", "keras.src.ops.numpy"; undefined where the file does not say. */
  readonly module: string | undefined;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** What it is applied to; a shared layer has several. */
  readonly calls: readonly KerasCall[];
  /** The layers within, if it is a model. */
  readonly model: KerasModel | undefined;
}

/** A Sequential or Functional model; the calls of a Sequential model form a chain. */
export interface KerasModel {
  readonly name: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly KerasRef[];
  readonly outputs: readonly KerasRef[];
}

/** Limits of what is read from a file. */
const MAX_DEPTH = 24;
const MAX_LAYERS = 20_000;

const record = z.record(z.string(), z.unknown());
const layerSchema = z.object({
  class_name: z.string().min(1).max(1000),
  module: z.string().nullish(),
  registered_name: z.string().nullish(),
  name: z.string().min(1).max(1000).optional(),
  config: z.unknown().optional(),
  inbound_nodes: z.array(z.unknown()).nullish(),
  build_config: z.unknown().optional(),
});
const modelSchema = z.object({
  name: z.string().min(1).max(1000).optional(),
  layers: z.array(z.unknown()).min(1, "is empty").max(MAX_LAYERS),
  input_layers: z.unknown().optional(),
  output_layers: z.unknown().optional(),
  build_input_shape: z.unknown().optional(),
});
const topology = z.union([
  z
    .object({ model_config: z.object({ class_name: z.string(), config: z.unknown() }) })
    .transform((t) => t.model_config),
  z.object({ class_name: z.string(), config: z.unknown() }),
]);

const MODEL_CLASSES = new Set(["Functional", "Model", "Sequential"]);

/**
 * Reads the JSON of a model.
 * @param where the file, for messages.
 * @throws RootstockError BAD_MODEL if it is damaged; UNSUPPORTED_OP if it is no list of layers but a class of its own.
 */
export function parseKerasModel(json: unknown, where: string): KerasModel {
  const { class_name: className, config } = checkJson(topology, json, `${where}: the list of layers`);
  if (!isModel(className, config)) {
    throw new RootstockError(
      "UNSUPPORTED_OP",
      `${where} is a model of the class "${className.slice(0, 80)}", whose layers only its Python code knows; a Sequential or Functional model is required. Export it to ONNX.`,
    );
  }
  return parseModel(className, config, { where, depth: 0, count: { layers: 0 } });
}

interface Reading {
  readonly where: string;
  readonly depth: number;
  readonly count: { layers: number };
}

function isModel(className: string, config: unknown): boolean {
  if (!MODEL_CLASSES.has(className.replace(/^.*>/, ""))) return false;
  return Array.isArray(config) || (typeof config === "object" && config !== null && "layers" in config);
}

function parseModel(className: string, config: unknown, reading: Reading): KerasModel {
  const { where, depth, count } = reading;
  // Sequential models of the first Keras 2 versions are a plain list.
  const given = Array.isArray(config) ? { layers: config } : config;
  const model = checkJson(modelSchema, given, `${where}: a model in it`);
  count.layers += model.layers.length;
  if (depth > MAX_DEPTH || count.layers > MAX_LAYERS)
    throw new RootstockError(
      "BAD_MODEL",
      `${where} requires at most ${MAX_LAYERS} layers and ${MAX_DEPTH} models within models.`,
    );
  const name = model.name ?? className.toLowerCase();
  const layers = model.layers.map((layer) => parseLayer(layer, { ...reading, depth: depth + 1 }));
  if (className.endsWith("Sequential")) return chain(name, layers, model.build_input_shape);
  return {
    name,
    layers,
    inputs: parseRefs(model.input_layers, `${where}: input_layers of "${name}"`),
    outputs: parseRefs(model.output_layers, `${where}: output_layers of "${name}"`),
  };
}

function parseLayer(json: unknown, reading: Reading): KerasLayer {
  const { where } = reading;
  const layer = checkJson(layerSchema, json, `${where}: a layer in it`);
  const isNested = isModel(layer.class_name, layer.config);
  // A wrong configuration is reported with the layers that are not supported.
  const config = record.safeParse(layer.config).data ?? {};
  const own = typeof config["name"] === "string" && config["name"] !== "" ? config["name"] : undefined;
  const name = layer.name ?? own ?? layer.class_name.toLowerCase();
  const model = isNested ? parseModel(layer.class_name, layer.config, reading) : undefined;
  const custom = layer.registered_name?.includes(">") ? layer.registered_name : undefined;
  return {
    className: custom ?? layer.class_name,
    module: layer.module ?? undefined,
    name,
    config,
    calls: parseCalls(layer.inbound_nodes ?? [], `${where}: inbound_nodes of "${name}"`),
    model: model && { ...model, name },
  };
}

/** A Sequential model as a Functional one: every layer reads the one before it, the first an input layer. */
function chain(name: string, list: readonly KerasLayer[], buildShape: unknown): KerasModel {
  const first = list[0]!;
  const shape = batchShapeOf(first) ?? buildShape;
  const input: KerasLayer = {
    className: "InputLayer",
    module: "keras.layers",
    name: `${first.name}_input`,
    config: shape === undefined ? {} : { batch_shape: shape },
    calls: [],
    model: undefined,
  };
  const layers: KerasLayer[] = first.className === "InputLayer" ? [] : [input];
  // One layer may stand in the list several times: it is shared.
  const counts = new Map<string, number>();
  const places = new Map<string, number>();
  let last: KerasRef | undefined = layers[0] && { layer: input.name, node: 0, tensor: 0 };
  for (const layer of list) {
    const node = counts.get(layer.name) ?? 0;
    counts.set(layer.name, node + 1);
    const call: KerasCall = { args: last ? [{ kind: "tensor", ref: last }] : [], kwargs: new Map() };
    const at = places.get(layer.name);
    if (at === undefined) {
      places.set(layer.name, layers.length);
      layers.push({ ...layer, calls: layer.className === "InputLayer" ? [] : [call] });
    } else layers[at] = { ...layers[at]!, calls: [...layers[at]!.calls, call] };
    last = { layer: layer.name, node, tensor: 0 };
  }
  return { name, layers, inputs: [{ layer: layers[0]!.name, node: 0, tensor: 0 }], outputs: [last!] };
}

/** The shape that a layer declares for what it reads, with the batch; of a model, that of its input. */
export function batchShapeOf({ config, model }: KerasLayer): unknown {
  const own = config["batch_input_shape"] ?? config["batch_shape"];
  if (own !== undefined || !model) return own;
  const input = model.layers.find(({ name }) => name === model.inputs[0]?.layer);
  return input && batchShapeOf(input);
}
