/** NumPy's scalars and arrays as pickles hold them: best scores in checkpoints, weights that came from Caffe2. */
import { isCount } from "./byte-source.ts";
import { type ElementType, isKind, NUMPY_TYPES, type PickleValue, type TorchTensor } from "./torch-values.ts";

/** An array whose bytes are in the pickle: a tensor of its own storage. */
export interface NumpyArray extends TorchTensor {
  readonly bigEndian: boolean;
}

/** `scalar(dtype, bytes)` as a number; undefined if it is of a type that numbers cannot be. */
export function numpyScalar([dtype, bytes]: readonly PickleValue[]): number | bigint | boolean | undefined {
  const described = dtypeOf(dtype);
  const raw = bytesOf(bytes);
  if (!described || raw?.length !== described.type.bytes) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const little = !described.bigEndian;
  switch (described.type.dtype) {
    case "float64":
      return view.getFloat64(0, little);
    case "float32":
      return view.getFloat32(0, little);
    case "int64":
      return Number(view.getBigInt64(0, little));
    case "int32":
      return view.getInt32(0, little);
    case "bool":
      return view.getUint8(0) !== 0;
    default:
      return undefined;
  }
}

/**
 * The array that `_reconstruct` and a state (version, shape, dtype, isFortran, bytes) describe; undefined for
 * anything else.
 */
export function numpyArray(value: PickleValue | undefined): NumpyArray | undefined {
  if (!isKind(value, "opaque") || !/^numpy\._?core\.multiarray\._reconstruct$/.test(value.global)) return undefined;
  const [, shape, dtype, isFortran, data] = isKind(value.state, "list") ? value.state.items : [];
  const described = dtypeOf(dtype);
  const inline = bytesOf(data);
  if (!(described && inline && isKind(shape, "list"))) return undefined;
  const dims = shape.items.filter(isCount);
  if (dims.length !== shape.items.length) return undefined;
  const { type, bigEndian } = described;
  const count = Math.floor(inline.length / type.bytes);
  const storage = { kind: "storage", type, key: "(in the pickle)", count, start: 0, inline } as const;
  const strides = isFortran === true ? columnMajor(dims) : rowMajor(dims);
  return { kind: "tensor", storage, type, offset: 0, shape: dims, strides, bigEndian };
}

/** Strides, in elements, of a tensor whose last index moves fastest. */
export function rowMajor(shape: readonly number[]): number[] {
  return columnMajor(shape.toReversed()).reverse();
}

function columnMajor(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((dim) => {
    const own = stride;
    stride *= dim;
    return own;
  });
}

/** `numpy.dtype("f4", …)` with the state (version, byte order, …). */
function dtypeOf(value: PickleValue | undefined): { type: ElementType; bigEndian: boolean } | undefined {
  if (!isKind(value, "opaque") || value.global !== "numpy.dtype") return undefined;
  const [code] = value.args;
  const type = typeof code === "string" ? NUMPY_TYPES.get(code) : undefined;
  const order = isKind(value.state, "list") ? value.state.items[1] : "|";
  return type && { type, bigEndian: order === ">" };
}

/** Bytes; Python 2 wrote them as text. */
function bytesOf(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === "string" ? Uint8Array.from(value, (character) => character.charCodeAt(0)) : undefined;
}
