/**
 * What a PyTorch pickle may build: an allow-list of the functions that rebuild tensors and containers. Every other
 * class becomes a placeholder, since training checkpoints hold optimizers and settings beside the weights. Names that
 * only an attack would call are refused. Nothing is ever imported or run.
 */
import type { RootstockError } from "../errors.ts";
import { isCount } from "./byte-source.ts";
import { type NumpyArray, numpyArray, numpyScalar } from "./numpy-pickle.ts";
import type { PickleReader } from "./pickle-reader.ts";
import {
  type ElementType,
  isKind,
  type PickleDict,
  type PickleGlobal,
  type PickleValue,
  TORCH_DTYPES,
  type TorchTensor,
} from "./torch-values.ts";

/** Modules whose functions reach out of the process. No checkpoint needs them. */
const REFUSED_MODULES = new Set(
  "os posix nt subprocess sys shutil socket pty runpy importlib ctypes webbrowser urllib requests pickle marshal".split(
    " ",
  ),
);
const REFUSED_BUILTINS = new Set("eval exec execfile compile open file __import__ input breakpoint".split(" "));

/** The class or function of that name. @throws RootstockError BAD_MODEL if only an attack would name it. */
export function checkGlobal(reader: PickleReader, module: string, name: string): PickleGlobal {
  const isBuiltin = module === "builtins" || module === "__builtin__";
  if (REFUSED_MODULES.has(module.split(".")[0]!) || (isBuiltin && REFUSED_BUILTINS.has(name))) {
    throw reader.error(`it calls ${module}.${name}, as an attack on whoever unpickles it would; nothing was run`);
  }
  return { kind: "global", name: `${module}.${name}` };
}

/** What calling `callee` gives: a value of the allow-list below, or a placeholder that remembers the call. */
export function callGlobal(reader: PickleReader, callee: PickleValue, args: readonly PickleValue[]): PickleValue {
  if (!isKind(callee, "global")) return placeholder("(the result of another call)", args);
  return CALLS.get(callee.name)?.(args, reader) ?? placeholder(classOf(callee, args), args);
}

function placeholder(global: string, args: readonly PickleValue[]): PickleValue {
  return { kind: "opaque", global, args, state: undefined, entries: new Map() };
}

/** Python's old protocol makes every object by `copyreg._reconstructor(class, base, state)`. */
function classOf(callee: PickleGlobal, args: readonly PickleValue[]): string {
  const made = /^copy_?reg\.(_reconstructor|__newobj__)$/.test(callee.name) ? args[0] : undefined;
  return isKind(made, "global") ? made.name : callee.name;
}

/** Returns undefined if the arguments are not what they should be. */
type Call = (args: readonly PickleValue[], reader: PickleReader) => PickleValue | undefined;

const list: Call = ([items], reader) => ({ kind: "list", items: [...itemsOf(items, reader)] });

const dict: Call = ([items], reader): PickleDict | undefined => {
  const entries = new Map<PickleValue, PickleValue>(isKind(items, "dict") ? items.entries : []);
  reader.work(entries.size);
  for (const item of itemsOf(items, reader)) {
    const [key, value] = isKind(item, "list") ? item.items : [];
    if (key === undefined || value === undefined) return undefined;
    entries.set(key, value);
  }
  return { kind: "dict", entries };
};

/** Python 2's way to write bytes: text of which every character is a byte. */
const encode: Call = ([text, encoding], reader) => {
  if (typeof text !== "string" || encoding !== "latin1") return undefined;
  reader.work(text.length);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
};

/** `(storage, offset, shape, strides, …)`, or with `dtype` at index 6 for storages without a type of their own. */
const rebuildTensor =
  (hasDtype: boolean): Call =>
  ([storage, offset, shape, strides, , , dtype], reader) => {
    if (!isKind(storage, "storage") || !isCount(offset)) throw malformed(reader);
    const type = hasDtype ? dtypeOf(dtype, reader) : storage.type;
    return { kind: "tensor", storage, type, offset, shape: counts(shape, reader), strides: counts(strides, reader) };
  };

const firstTensor: Call = ([tensor]) => (isKind(tensor, "tensor") ? tensor : undefined);

/** `_rebuild_from_type_v2(function, class, arguments, state)`: a tensor of a subclass. */
const rebuildFromType: Call = ([callee = null, , args], reader) => {
  const made = isKind(callee, "global") && isKind(args, "list") ? CALLS.get(callee.name)?.(args.items, reader) : null;
  return isKind(made ?? undefined, "tensor") ? (made ?? undefined) : undefined;
};

const scalar: Call = (args) => numpyScalar(args);

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", dict],
  ["collections.defaultdict", ([, items = null], reader) => dict([items], reader)],
  ["builtins.dict", dict],
  ["builtins.list", list],
  ["builtins.tuple", list],
  ["builtins.set", list],
  ["builtins.frozenset", list],
  ["__builtin__.dict", dict],
  ["__builtin__.list", list],
  ["__builtin__.tuple", list],
  ["__builtin__.set", list],
  ["__builtin__.frozenset", list],
  ["_codecs.encode", encode],
  ["torch.Size", list],
  ["torch._utils._rebuild_tensor", rebuildTensor(false)],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor(false)],
  ["torch._utils._rebuild_tensor_v3", rebuildTensor(true)],
  ["torch._utils._rebuild_parameter", firstTensor],
  ["torch._utils._rebuild_parameter_with_state", firstTensor],
  ["torch._tensor._rebuild_from_type_v2", rebuildFromType],
  ["numpy.core.multiarray.scalar", scalar],
  ["numpy._core.multiarray.scalar", scalar],
]);

/** The tensor that a value of a state dict is, if it is one: PyTorch's, or a NumPy array. */
export function asTensor(value: PickleValue | undefined): TorchTensor | NumpyArray | undefined {
  return isKind(value, "tensor") ? value : numpyArray(value);
}

function dtypeOf(value: PickleValue | undefined, reader: PickleReader): ElementType {
  const name = isKind(value, "global") ? value.name.replace(/^torch\./, "") : "";
  const type = TORCH_DTYPES.get(name);
  if (!type) throw reader.error(`a tensor in it has the unknown element type "${name}"`);
  return type;
}

function counts(value: PickleValue | undefined, reader: PickleReader): number[] {
  const items = itemsOf(value, reader);
  if (!(isKind(value, "list") && items.every(isCount))) throw malformed(reader);
  return [...items] as number[]; // each was checked
}

function itemsOf(value: PickleValue | undefined, reader: PickleReader): readonly PickleValue[] {
  if (!isKind(value, "list")) return [];
  reader.work(value.items.length);
  return value.items;
}

function malformed(reader: PickleReader): RootstockError {
  return reader.error("a tensor in it has no storage, or a shape or strides that are no counts");
}
