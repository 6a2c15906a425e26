/** Stored bytes → elements of a tensor: byte order, bfloat16, and limits on what a shape may claim. */
import { RootstockError } from "../errors.ts";
import { ARRAYS, bytesPerElement, type DType } from "../tensor/dtype.ts";
import { float16ToFloat32 } from "../tensor/float16.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { isCount } from "./byte-source.ts";

/** More dimensions than NumPy allows are damage. */
const MAX_RANK = 64;

/**
 * Makes a tensor of stored bytes, which it keeps and may change. bfloat16 is widened to float32, exactly.
 * @param bytes row-major elements; their buffer must start with them.
 * @throws RootstockError SHAPE_MISMATCH if bytes and shape disagree.
 */
export function tensorOfBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array, littleEndian = true): Tensor {
  if (!littleEndian) reverseElements(bytes, bytesPerElement(dtype));
  if (dtype === "bfloat16") return tensor("float32", shape, bfloat16ToFloat32(asUint16(bytes)));
  if (dtype === "bool") for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] ? 1 : 0;
  const elements = Math.floor(bytes.length / bytesPerElement(dtype));
  return tensor(dtype, shape, new ARRAYS[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, elements)); // never shared
}

/** The tensor with float32 elements: float16 and bfloat16 exactly, float64 and whole numbers rounded. */
export function toFloat32(t: Tensor): Tensor<"float32"> {
  const { dtype, shape, data } = t;
  if (data instanceof Float32Array) return tensor("float32", shape, data);
  if (dtype === "float16") return tensor("float32", shape, float16ToFloat32(asUint16(data)));
  if (dtype === "bfloat16") return tensor("float32", shape, bfloat16ToFloat32(asUint16(data)));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const out = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
    return tensor("float32", shape, out);
  }
  return tensor("float32", shape, Float32Array.from(data));
}

/**
 * The number of elements of a shape that was read from a file.
 * @throws RootstockError BAD_MODEL if it is not a list of counts, or their product is not exact.
 */
export function countElements(shape: readonly unknown[], where: string): number {
  const size = shape.reduce<number>((product, dim) => (isCount(dim) ? product * dim : Number.NaN), 1);
  if (isCount(size) && shape.length <= MAX_RANK) return size;
  const shown = shape.slice(0, 8).join(", ");
  throw new RootstockError("BAD_MODEL", `${where} has the shape [${shown}], which no tensor can have: it is damaged.`);
}

/** Each bfloat16 is the upper half of a float32. */
function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

function asUint16(data: ArrayBufferView): Uint16Array {
  return new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength >> 1); // never shared
}

/** Reverses the bytes of each element, in place. */
function reverseElements(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let i = 0; i + width <= bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}
