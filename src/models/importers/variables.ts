/** Finds the variables of layers in a file: by their names, or by the place of the layer in the model (Keras 3). */
import { RootstockError } from "../../errors.ts";
import type { TensorSource } from "../../weights/tensor-source.ts";
import type { KerasLayer, KerasModel } from "./keras-config.ts";
import type { Variable } from "./layer-rule.ts";

/** Where the variables of a layer are: the name in the file of each, undefined where there is none. */
export type FindVariables = (layer: KerasLayer, variables: readonly Variable[]) => readonly (string | undefined)[];

/** How the variables of a file are called. */
export function variablesIn(source: TensorSource, root: KerasModel): FindVariables {
  const isByPlace = source.names.some((name) => PLACE.test(name));
  return isByPlace ? byPlace(source, root) : byName(source, root);
}

/** "layers/conv2d/vars/0"; files of Keras 2.12 begin with another word. */
const PLACE = /^(layers|_layer_checkpoint_dependencies)\/.*\bvars\/\d+$/;
const EARLY = "_layer_checkpoint_dependencies";

/**
 * Files of Keras 3, and of Keras 2.12 and later as `.keras`: a layer is called after its class, with a number from the
 * second one of that class in its model on (keras/src/saving/saving_lib.py, _save_container_state).
 */
function byPlace(source: TensorSource, root: KerasModel): FindVariables {
  const names = new Set(source.names);
  const word = source.names.some((name) => name.startsWith(`${EARLY}/`)) ? EARLY : "layers";
  const places = new Map<KerasLayer, string>();
  const visit = (model: KerasModel, prefix: string): void => {
    const counts = new Map<string, number>();
    for (const layer of model.layers) {
      if (/^keras(\.src)?\.ops\b/.test(layer.module ?? "")) continue; // functions are no layers
      const name = snakeCase(layer.className.replace(/^.*>/, ""));
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      const place = `${prefix}${word}/${count === 0 ? name : `${name}_${count}`}`;
      places.set(layer, place);
      if (layer.model) visit(layer.model, `${place}/`);
    }
  };
  visit(root, "");
  return (layer, variables) =>
    variables.map((_, i) => {
      const name = `${places.get(layer)}/vars/${i}`;
      return names.has(name) ? name : undefined;
    });
}

/** As Keras makes names of classes: "SeparableConv2D" becomes "separable_conv2d". */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/**
 * Files that name their variables: "conv1/kernel", within a nested model "base/conv1/kernel" or "conv1/kernel". Where
 * names do not fit, as those that TensorFlow 1 numbered, a layer gets the variables at its place in the file.
 */
function byName(source: TensorSource, root: KerasModel): FindVariables {
  const ending = endings(source.names);
  const parents = new Map<KerasLayer, readonly string[]>();
  const order = new Map<string, KerasLayer[]>(); // by the top-level layer
  const visit = (model: KerasModel, path: readonly string[]): void => {
    for (const layer of model.layers) {
      parents.set(layer, path);
      const top = path[0] ?? layer.name;
      if (layer.model) visit(layer.model, [...path, layer.name]);
      else order.set(top, [...(order.get(top) ?? []), layer]);
    }
  };
  visit(root, []);
  const groups = new Map(source.layers?.map(({ name, tensors }) => [name, unitsOf(tensors, name)]));
  return (layer, variables) => {
    const path = parents.get(layer) ?? [];
    const found = variables.map(({ names }) =>
      names
        .map((name) => best(ending.get(`${layer.name}/${name}`) ?? [], path, source.origin))
        .find((name) => name !== undefined),
    );
    if (found.some((name) => name !== undefined)) return found;
    return atPlace(layer, groups.get(path[0] ?? layer.name) ?? [], { path, variables }) ?? found;
  };
}

/** Names by each of their endings: "conv1/kernel" finds "base/conv1/kernel". */
function endings(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    for (let at = 0, depth = 0; at >= 0 && depth < 32; at = name.indexOf("/", at) + 1 || -1, depth++) {
      const ending = name.slice(at);
      const list = found.get(ending);
      if (list) list.push(name);
      else found.set(ending, [name]);
    }
  }
  return found;
}

/** Of several names with the same ending, the one that has most of the models around the layer in it. */
function best(names: readonly string[], path: readonly string[], where: string): string | undefined {
  if (names.length < 2) return names[0];
  const scored = names.map((name) => {
    const parts = `/${name}/`;
    return { name, score: path.filter((part) => parts.includes(`/${part}/`)).length };
  });
  const top = Math.max(...scored.map(({ score }) => score));
  const chosen = scored.filter(({ score }) => score === top);
  // A layer at the top has no models around it: its name is the shortest.
  const shortest = Math.min(...chosen.map(({ name }) => name.length));
  const only = chosen.filter(({ name }) => name.length === shortest);
  if (only.length === 1) return only[0]!.name;
  throw new RootstockError(
    "BAD_MODEL",
    `${where} holds ${names.map((name) => `"${name}"`).join(" and ")}: which of them a layer uses is not clear.`,
  );
}

/** The variables of a group, by the layer that they are named after. */
function unitsOf(tensors: readonly string[], group: string): string[][] {
  const units = new Map<string, string[]>();
  for (const name of tensors) {
    const unit = name.slice(0, Math.max(name.lastIndexOf("/"), group.length));
    units.set(unit, [...(units.get(unit) ?? []), name]);
  }
  return [...units.values()];
}

/** The variables of a layer whose group has variables of one layer only. */
function atPlace(
  layer: KerasLayer,
  units: readonly (readonly string[])[],
  { path, variables }: { readonly path: readonly string[]; readonly variables: readonly Variable[] },
): readonly string[] | undefined {
  const [unit] = units;
  if (layer.model || path.length > 0 || units.length !== 1 || unit?.length !== variables.length) return undefined;
  return unit;
}
