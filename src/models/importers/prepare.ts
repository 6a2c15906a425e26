/** Looks at all layers of a model before anything is built, so that everything that cannot be imported is named at once. */
import { listed, RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { batchShapeOf, type KerasLayer, type KerasModel } from "./keras-config.ts";
import { checkSize, type Size } from "./keras-tensor.ts";
import type { KerasDialect, PreparedLayer } from "./layer-rule.ts";
import { ruleOf } from "./layers/table.ts";
import { type Plan, planOf } from "./plan.ts";
import type { FindVariables } from "./variables.ts";

/** Everything that building needs to know of a model and the models within. */
export interface PreparedModel {
  readonly plans: ReadonlyMap<KerasModel, Plan>;
  readonly layers: ReadonlyMap<KerasLayer, PreparedLayer>;
  /** Where each variable of a layer is in the file, by its first name. */
  readonly variables: ReadonlyMap<KerasLayer, ReadonlyMap<string, string>>;
  /** Names of layers in the graph: their own, with the models around them where two have the same. */
  readonly names: ReadonlyMap<KerasLayer, string>;
}

/** A layer in messages: its class and name. */
export function whereOf({ className, name }: KerasLayer): string {
  return printable(`${className.slice(0, 80)} "${name.slice(0, 80)}"`);
}

/**
 * The shape of the image that a model reads, in Keras' order, without the batch.
 * @throws RootstockError UNSUPPORTED_OP if it reads several inputs; BAD_MODEL if it does not say which.
 */
export function checkInput(root: KerasModel, where: string): readonly Size[] {
  if (root.inputs.length !== 1) {
    const names = listed(root.inputs.map(({ layer }) => `"${printable(layer)}"`));
    throw new RootstockError(
      "UNSUPPORTED_OP",
      `${where} reads ${root.inputs.length} inputs (${names}); a model that reads one image is required. Save the part that reads the image as a model of its own.`,
    );
  }
  const input = root.layers.find(({ name }) => name === root.inputs[0]!.layer);
  const shape = input && batchShapeOf(input);
  // Keras 3 may wrap the shape of a single input in a list.
  const flat = Array.isArray(shape) && shape.length === 1 && Array.isArray(shape[0]) ? shape[0] : shape;
  const isSize = (size: unknown): size is number | null =>
    size === null || (Number.isSafeInteger(size) && Number(size) > 0);
  if (!Array.isArray(flat) || flat.length < 2 || flat.length > 8 || !flat.every(isSize))
    throw new RootstockError(
      "BAD_MODEL",
      `${where} requires an input shape such as [null, 224, 224, 3], got ${printable(JSON.stringify(flat) ?? "none").slice(0, 80)}. Save the model after it was built.`,
    );
  const sizes = flat.slice(1).map((size) => size ?? undefined);
  checkSize(sizes, `${where}: its input`);
  return sizes;
}

/**
 * Plans all models, checks the configuration of all layers and finds their variables.
 * @throws RootstockError UNSUPPORTED_OP naming all layers that cannot be imported; BAD_MODEL naming all weights that the
 * file lacks.
 */
export function prepareModel(
  root: KerasModel,
  find: FindVariables,
  { dialect, where }: { readonly dialect: KerasDialect; readonly where: string },
): PreparedModel {
  const plans = new Map<KerasModel, Plan>();
  const paths = new Map<KerasLayer, string>();
  const visit = (model: KerasModel, path: string): void => {
    const plan = planOf(model, where);
    plans.set(model, plan);
    const inputs = new Set(plan.inputs);
    for (const { layer, key } of plan.calls) {
      if (inputs.has(key) || paths.has(layer)) continue;
      paths.set(layer, `${path}${layer.name}`);
      if (layer.model) visit(layer.model, `${path}${layer.name}/`);
    }
  };
  visit(root, "");
  const layers = new Map<KerasLayer, PreparedLayer>();
  const faults: string[] = [];
  for (const layer of [...paths.keys()].filter(({ model }) => !model)) {
    const rule = ruleOf(layer);
    const result = typeof rule === "string" ? rule : rule(layer.config, dialect);
    if (typeof result === "string") faults.push(`${whereOf(layer)} (${printable(result)})`);
    else layers.set(layer, result);
  }
  if (faults.length > 0) throw unsupported(faults, where);
  return { plans, layers, variables: findVariables(layers, find, where), names: namesOf(paths) };
}

function unsupported(faults: readonly string[], where: string): RootstockError {
  const count = faults.length === 1 ? "1 layer" : `${faults.length} layers`;
  return new RootstockError(
    "UNSUPPORTED_OP",
    `${where} has ${count} that cannot be imported: ${listed(faults, 50)}. Export the model to ONNX (tf2onnx, or model.export("model.onnx", format="onnx") of Keras 3) and load that.`,
  );
}

function findVariables(
  layers: ReadonlyMap<KerasLayer, PreparedLayer>,
  find: FindVariables,
  where: string,
): ReadonlyMap<KerasLayer, ReadonlyMap<string, string>> {
  const found = new Map<KerasLayer, ReadonlyMap<string, string>>();
  const missing: string[] = [];
  for (const [layer, { variables }] of layers) {
    if (variables.length === 0) continue;
    const names = find(layer, variables);
    const own = new Map<string, string>();
    for (const [i, { names: called, optional }] of variables.entries()) {
      const name = names[i];
      if (name !== undefined) own.set(called[0]!, name);
      else if (!optional) missing.push(`"${printable(layer.name)}/${called[0]}"`);
    }
    found.set(layer, own);
  }
  if (missing.length > 0)
    throw new RootstockError(
      "BAD_MODEL",
      `${where} lacks ${missing.length} weights of its layers: ${listed(missing, 20)}. Save the model again, with its weights.`,
    );
  return found;
}

/** Names for nodes and weights: a layer's own name, or its path where another layer has the same. */
function namesOf(paths: ReadonlyMap<KerasLayer, string>): ReadonlyMap<KerasLayer, string> {
  const counts = new Map<string, number>();
  for (const { name } of paths.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(
    [...paths].map(([layer, path]) => [layer, printable(counts.get(layer.name) === 1 ? layer.name : path)]),
  );
}
