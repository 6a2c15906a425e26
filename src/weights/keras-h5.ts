/**
 * Keras' weights in HDF5: whole models and weights of Keras 1 and 2 (attributes `layer_names` and `weight_names`),
 * and the `.weights.h5` of Keras 3 (a tree of layers, each with its variables in `vars/0`, `vars/1`, …).
 * Tensors keep the layout in which Keras stores them: [h, w, in, out] for a convolution, [in, out] for a dense layer.
 */
import { listed, RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { eachDataset, type Hdf5Dataset, type Hdf5Group, openHdf5 } from "./hdf5.ts";
import { type LayerWeights, type TensorEntry, type TensorSource, tensorSource } from "./tensor-source.ts";

/** A Keras file. */
export interface KerasH5 {
  readonly tensors: TensorSource;
  /** Layers that have weights, in the model's order. */
  readonly layers: readonly LayerWeights[];
  /** The model's topology as JSON text, in files that hold a whole model. */
  readonly modelConfig: string | undefined;
}

const MAX_TENSORS = 100_000;
/** Attributes that are too large for one are continued as name0, name1, … */
const MAX_PARTS = 10_000;

/**
 * Opens a Keras file. Tensors are named "<layer>/<weight>", such as "conv2d/kernel": the weight's own name without
 * ":0", under its layer if it does not start with it. Keras 3 files name no weights: their paths are taken.
 * @throws RootstockError BAD_MODEL if it is damaged or holds no weights.
 */
export function openKerasH5(source: ByteSource): KerasH5 {
  const root = openHdf5(source);
  const nested = root.get("model_weights");
  const group = nested?.kind === "group" ? nested : root;
  const layerNames = texts(group, "layer_names");
  const layers = layerNames ? namedLayers(source, group, layerNames) : pathLayers(root);
  const entries = new Map(layers.flatMap(({ tensors }) => [...tensors]));
  const list = layers.map(({ name, tensors }) => ({ name, tensors: [...tensors.keys()] }));
  const metadata = new Map(
    ["keras_version", "backend"].flatMap((key) => textAttribute(group, key) ?? textAttribute(root, key) ?? []),
  );
  if (entries.size === 0)
    throw new RootstockError("BAD_MODEL", `${source.name} is an HDF5 file without Keras' weights.`);
  return {
    tensors: tensorSource({
      format: "keras",
      origin: source.name,
      entries,
      metadata,
      layers: list,
      notes: layerNames ? [] : ["the file names no weights: tensors are named by their place in it"],
      close: () => source.close(),
    }),
    layers: list,
    modelConfig: texts(root, "model_config")?.[0],
  };
}

interface Layer {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** Keras 1 and 2: every layer's group lists its weights, whose names are paths within the group. */
function namedLayers(source: ByteSource, group: Hdf5Group, names: readonly string[]): Layer[] {
  const missing: string[] = [];
  const layers: Layer[] = [];
  const taken = new Set<string>();
  for (const name of [...new Set([...names, "top_level_model_weights"])]) {
    const layer = group.get(name);
    const weights = layer?.kind === "group" ? (texts(layer, "weight_names") ?? []) : [];
    const tensors = new Map<string, TensorEntry>();
    for (const weight of weights) {
      const dataset = layer?.kind === "group" ? layer.get(weight) : undefined;
      const short = `${name}/${withoutPrefix(weight.replace(/:\d+$/, ""), `${name}/`)}`;
      const full = taken.has(short) ? `${name}/${weight}` : short;
      taken.add(full);
      if (dataset?.kind === "dataset" && dataset.dtype) tensors.set(full, entry(dataset, dataset.dtype));
      else missing.push(`"${full}"`);
    }
    if (tensors.size > 0) layers.push({ name, tensors });
    if (taken.size > MAX_TENSORS)
      throw new RootstockError("BAD_MODEL", `${source.name} lists more than ${MAX_TENSORS} weights.`);
  }
  if (missing.length > 0)
    throw new RootstockError(
      "BAD_MODEL",
      `${source.name} lists weights that are not in it, or no numbers: ${listed(missing)}.`,
    );
  return layers;
}

/** Keras 3 and other writers: every dataset of numbers by its path, in groups by the path before `vars`. */
function pathLayers(root: Hdf5Group): Layer[] {
  const layers = new Map<string, Map<string, TensorEntry>>();
  let count = 0;
  eachDataset(root, (path, dataset) => {
    if (!dataset.dtype || /^(optimizer|optimizer_weights|_trainer)\//.test(path)) return;
    if (++count > MAX_TENSORS) throw new RootstockError("BAD_MODEL", `${path}: more than ${MAX_TENSORS} tensors.`);
    const name = path.replace(/\/(vars\/)?[^/]*$/, "");
    const tensors = layers.get(name) ?? new Map<string, TensorEntry>();
    tensors.set(path, entry(dataset, dataset.dtype));
    layers.set(name, tensors);
  });
  return [...layers].map(([name, tensors]) => ({ name, tensors }));
}

function entry(dataset: Hdf5Dataset, dtype: TensorEntry["dtype"]): TensorEntry {
  return { dtype, shape: dataset.shape, bytes: dataset.bytes, read: () => dataset.read() };
}

/** A list of texts, in one attribute or continued over several. */
function texts(group: Hdf5Group, name: string): string[] | undefined {
  const whole = group.attribute(name);
  if (whole) return whole.map(String);
  const parts: string[] = [];
  for (let i = 0; i < MAX_PARTS; i++) {
    const part = group.attribute(`${name}${i}`);
    if (!part) break;
    parts.push(...part.map(String));
  }
  return parts.length > 0 ? parts : undefined;
}

function textAttribute(group: Hdf5Group, name: string): [string, string][] | undefined {
  const value = group.attribute(name)?.[0];
  return value === undefined ? undefined : [[name, String(value)]];
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : name;
}
