/** Finds the state dict in what a PyTorch file holds: the dict itself, a checkpoint around it, or a whole module. */
import { listed, RootstockError } from "../errors.ts";
import { asTensor } from "./torch-calls.ts";
import { isKind, type PickleDict, type PickleOpaque, type PickleValue, type TorchTensor } from "./torch-values.ts";

/** Keys under which training code keeps the weights; the first that is there is taken. */
const USUAL_KEYS = [
  ...["state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights", "params"],
  ...["model_ema", "ema_state_dict", "state_dict_ema", "params_ema", "ema", "teacher", "student"],
];

/** Checkpoints are nested at most this deep around their state dict. */
const MAX_NESTING = 4;
const MAX_MODULE_DEPTH = 64;
/** Modules that are looked at in one file: shared ones count as often as they are reached. */
const MAX_MODULES = 100_000;

/** The tensors of a state dict by name, where they were found, and what else is there. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor & { readonly bigEndian?: boolean }>;
  /** Tensors of kinds that cannot be read, by name: the function that would rebuild them. */
  readonly unreadable: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/**
 * Finds the state dict.
 * @param key where to look, such as "ema" or "model.state_dict"; without it, the usual places are searched.
 * @throws RootstockError BAD_MODEL if there is none, or several and no key.
 */
export function findStateDict(root: PickleValue, origin: string, key?: string | undefined): StateDict {
  const found = candidates(root);
  const chosen = key === undefined ? choose(found) : found.find(({ path }) => path === key);
  if (!chosen) throw notFound(origin, root, found, key);
  const others = found
    .filter((candidate) => candidate !== chosen)
    .map(({ path, size }) => `"${path || "(top)"}" (${size})`);
  return {
    tensors: chosen.tensors,
    unreadable: chosen.unreadable,
    notes: [
      ...(chosen.path ? [`the tensors are those under "${chosen.path}"`] : []),
      ...(others.length > 0 ? [`other tensors in the file were left out: ${listed(others)}`] : []),
      ...(chosen.skipped.length > 0 ? [`entries that are no tensors were left out: ${listed(chosen.skipped)}`] : []),
    ],
  };
}

interface Candidate extends Pick<StateDict, "tensors" | "unreadable"> {
  readonly path: string;
  readonly size: number;
  /** Names beside the tensors whose values are something else. */
  readonly skipped: readonly string[];
}

/** Every place that holds tensors, usual keys before others and outer places before inner ones. */
function candidates(root: PickleValue): Candidate[] {
  const found: Candidate[] = [];
  const seen = new Set<PickleValue>();
  const budget = { modules: MAX_MODULES };
  const visit = (value: PickleValue, path: string, depth: number): void => {
    if (depth > MAX_NESTING || seen.has(value)) return;
    const place = placeOf(value, budget);
    if (!place) return;
    seen.add(value);
    if (place.tensors.size + place.unreadable.size > 0) found.push({ path, size: place.tensors.size, ...place });
    for (const [key, inner] of inUsualOrder(place.inner)) visit(inner, path ? `${path}.${key}` : key, depth + 1);
  };
  visit(root, "", 0);
  return found;
}

/** Wrapped state dicts come before tensors that lie beside them, such as a best score. */
function choose(found: readonly Candidate[]): Candidate | undefined {
  const usual = found.find(({ path }) => USUAL_KEYS.includes(path.split(".")[0]!));
  const top = found.find(({ path }) => path === "");
  return usual ?? top ?? (found.length === 1 ? found[0] : undefined);
}

interface Budget {
  modules: number;
}

interface Place extends Pick<Candidate, "tensors" | "unreadable" | "skipped"> {
  /** Values that may hold tensors themselves. */
  readonly inner: readonly (readonly [string, PickleValue])[];
}

function placeOf(value: PickleValue, budget: Budget): Place | undefined {
  if (isKind(value, "opaque")) {
    const tensors = moduleTensors(value, budget);
    if (tensors.size > 0) return { tensors, unreadable: new Map(), skipped: [], inner: [] };
  }
  return isKind(value, "dict") || isKind(value, "opaque") ? dictTensors(value) : undefined;
}

function dictTensors({ entries }: PickleDict | PickleOpaque): Place {
  const tensors = new Map<string, TorchTensor>();
  const inner: [string, PickleValue][] = [];
  const skipped: string[] = [];
  const unreadable = new Map<string, string>();
  for (const [key, value] of entries) {
    if (typeof key !== "string") continue;
    const tensor = asTensor(value);
    if (tensor) tensors.set(key, tensor);
    else if (isKind(value, "opaque") && /^torch\.(\w+\.)*_rebuild_\w+$/.test(value.global))
      unreadable.set(key, value.global);
    else if (isKind(value, "dict") || isKind(value, "opaque")) inner.push([key, value]);
    else skipped.push(key);
  }
  return { tensors, unreadable, inner, skipped: [...skipped, ...inner.map(([key]) => key)] };
}

function inUsualOrder(inner: Place["inner"]): Place["inner"] {
  const rank = ([key]: readonly [string, PickleValue]): number => {
    const index = USUAL_KEYS.indexOf(key);
    return index < 0 ? USUAL_KEYS.length : index;
  };
  return inner.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * The state dict of a whole pickled module: its parameters and buffers, then those of its submodules
 * (`torch.nn.Module.__dict__`), in the order of `state_dict()`.
 */
function moduleTensors(root: PickleOpaque, budget: Budget): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  const visit = (value: PickleValue, prefix: string, path: readonly PickleValue[]): void => {
    if (!isKind(value, "opaque") || path.length > MAX_MODULE_DEPTH || path.includes(value)) return;
    if (--budget.modules < 0) return;
    for (const part of ["_parameters", "_buffers"])
      for (const [key, inner] of attribute(value, part)) {
        const tensor = asTensor(inner);
        if (tensor) tensors.set(`${prefix}${String(key)}`, tensor);
      }
    for (const [key, inner] of attribute(value, "_modules")) visit(inner, `${prefix}${String(key)}.`, [...path, value]);
  };
  visit(root, "", []);
  return tensors;
}

function attribute(module: PickleOpaque, name: string): ReadonlyMap<PickleValue, PickleValue> {
  const value = isKind(module.state, "dict") ? module.state.entries.get(name) : undefined;
  return isKind(value, "dict") ? value.entries : new Map();
}

function notFound(
  origin: string,
  root: PickleValue,
  found: readonly Candidate[],
  key: string | undefined,
): RootstockError {
  if (found.length > 0) {
    const places = listed(found.map(({ path, size }) => `"${path}" (${size} tensors)`));
    const problem = key === undefined ? "no usual place holds tensors" : `there are no tensors under "${key}"`;
    return new RootstockError("BAD_MODEL", `${origin}: ${problem}. Choose one of ${places}.`);
  }
  const what = isKind(root, "opaque") ? `an object of class ${root.global}` : describe(root);
  const wanted = "a dict of tensors, or a checkpoint that holds one, is required";
  return new RootstockError("BAD_MODEL", `${origin} holds ${what}: ${wanted}. Save model.state_dict().`);
}

function describe(root: PickleValue): string {
  if (isKind(root, "dict")) {
    const keys = [...root.entries.keys()].filter((key) => typeof key === "string");
    return keys.length > 0 ? `a dict with ${listed(keys)} and no tensors` : "an empty dict";
  }
  return isKind(root, "tensor") ? "a single tensor without a name" : "no dict";
}
