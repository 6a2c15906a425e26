/** What a PyTorch pickle is read into: plain containers, tensors that are not read yet, and placeholders. */
import type { DType } from "../tensor/dtype.ts";

/** A value of a pickle. Nothing of it can run. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickleOpaque
  | TorchStorage
  | TorchTensor;

/** A list, tuple or set. */
export interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

/** A dict or OrderedDict, in insertion order. */
export interface PickleDict {
  readonly kind: "dict";
  readonly entries: Map<PickleValue, PickleValue>;
}

/** A class or function that the pickle names, such as "torch.FloatStorage". */
export interface PickleGlobal {
  readonly kind: "global";
  readonly name: string;
}

/** An object that is not built: what made it, and what it was given. */
export interface PickleOpaque {
  readonly kind: "opaque";
  readonly global: string;
  readonly args: readonly PickleValue[];
  /** What `__setstate__` would have been given. */
  state: PickleValue | undefined;
  /** Items of a dict subclass. */
  readonly entries: Map<PickleValue, PickleValue>;
}

/** Where the elements of tensors are kept: a run of elements of one type under a key, or bytes in the pickle itself. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly type: ElementType;
  readonly key: string;
  /** Number of elements of the whole storage. */
  readonly count: number;
  /** First element of this view of the storage. */
  readonly start: number;
  /** The bytes, if the pickle itself holds them. */
  readonly inline?: Uint8Array | undefined;
}

/** A view of a storage. Offset and strides count elements of `type`. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  readonly type: ElementType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** An element type of PyTorch; those without `dtype` cannot be read. */
export interface ElementType {
  readonly name: string;
  readonly bytes: number;
  readonly dtype?: DType | undefined;
}

function readable(dtype: DType, bytes: number): ElementType {
  return { name: dtype, bytes, dtype };
}

const UINT8 = readable("uint8", 1);

/** Element types by the class of their storage (torch/storage.py). */
export const STORAGE_TYPES: ReadonlyMap<string, ElementType> = new Map([
  ["FloatStorage", readable("float32", 4)],
  ["DoubleStorage", readable("float64", 8)],
  ["HalfStorage", readable("float16", 2)],
  ["BFloat16Storage", readable("bfloat16", 2)],
  ["CharStorage", readable("int8", 1)],
  ["ShortStorage", readable("int16", 2)],
  ["IntStorage", readable("int32", 4)],
  ["LongStorage", readable("int64", 8)],
  ["ByteStorage", UINT8],
  ["UntypedStorage", UINT8],
  ["BoolStorage", readable("bool", 1)],
  ["ComplexFloatStorage", { name: "complex64", bytes: 8 }],
  ["ComplexDoubleStorage", { name: "complex128", bytes: 16 }],
  ["QInt8Storage", { name: "qint8 (quantized)", bytes: 1 }],
  ["QUInt8Storage", { name: "quint8 (quantized)", bytes: 1 }],
  ["QInt32Storage", { name: "qint32 (quantized)", bytes: 4 }],
  ["QUInt4x2Storage", { name: "quint4x2 (quantized)", bytes: 1 }],
  ["QUInt2x4Storage", { name: "quint2x4 (quantized)", bytes: 1 }],
]);

/** Element types by the name of a `torch.dtype`, as `_rebuild_tensor_v3` is given. */
export const TORCH_DTYPES: ReadonlyMap<string, ElementType> = new Map([
  ...[...STORAGE_TYPES.values()].map((type) => [type.name, type] as const),
  ["uint16", readable("uint16", 2)],
  ["uint32", readable("uint32", 4)],
  ["uint64", readable("uint64", 8)],
  ...["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"].map(
    (name) => [name, { name, bytes: 1 }] as const,
  ),
]);

/** Element types by NumPy's code, without the byte order. */
export const NUMPY_TYPES: ReadonlyMap<string, ElementType> = new Map([
  ["f4", readable("float32", 4)],
  ["f8", readable("float64", 8)],
  ["f2", readable("float16", 2)],
  ["i1", readable("int8", 1)],
  ["i2", readable("int16", 2)],
  ["i4", readable("int32", 4)],
  ["i8", readable("int64", 8)],
  ["u1", UINT8],
  ["u2", readable("uint16", 2)],
  ["u4", readable("uint32", 4)],
  ["u8", readable("uint64", 8)],
  ["b1", readable("bool", 1)],
]);

/** Whether a value is an object of one kind. */
export function isKind<K extends Extract<PickleValue, { kind: string }>["kind"]>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}
