/** ONNX TensorProto ↔ Tensor. Raw data becomes a view wherever its alignment allows. */
import { create } from "@bufbuild/protobuf";
import { RootstockError } from "../errors.ts";
import { ARRAYS, bytesPerElement, type DType, type TypedArray } from "../tensor/dtype.ts";
import { bytesOf, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { type TensorProto, TensorProtoSchema } from "./onnx-pb.ts";

/** ONNX's numbers for element types (TensorProto.DataType). */
const CODES: { readonly [D in DType]: number } = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};
const DTYPES = new Map(Object.entries(CODES).map(([dtype, code]) => [code, dtype as DType])); // keys of CODES

/** The most elements a tensor may claim: 2^32, far above any real weight, far below what shape arithmetic can hold. */
const MAX_ELEMENTS = 2 ** 32;

/** ONNX's number of an element type. */
export function dtypeCode(dtype: DType): number {
  return CODES[dtype];
}

/** The element type with an ONNX number, or undefined for types that are not held as numbers (string, float8, int4). */
export function dtypeOfCode(code: number): DType | undefined {
  return DTYPES.get(code);
}

/**
 * Converts a TensorProto whose data is embedded.
 * @throws RootstockError BAD_MODEL if dims, element type and data do not fit together.
 */
export function tensorOfProto(proto: TensorProto): Tensor {
  const name = proto.name || "(unnamed tensor)";
  const dtype = dtypeOfCode(proto.dataType);
  if (!dtype) {
    throw new RootstockError(
      "BAD_MODEL",
      `tensor "${name}" has ONNX element type ${proto.dataType}, which is not supported (supported: ${[...DTYPES.values()].join(", ")}).`,
    );
  }
  const shape = proto.dims.map(Number);
  const size = sizeOf(shape);
  if (shape.some((dim) => dim < 0) || !(size <= MAX_ELEMENTS)) {
    throw new RootstockError("BAD_MODEL", `tensor "${name}" has impossible dimensions [${shape}].`);
  }
  const data = proto.rawData.length > 0 || size === 0 ? rawView(proto.rawData, dtype, size) : typedData(proto, dtype);
  if (data?.length !== size) {
    throw new RootstockError(
      "BAD_MODEL",
      `tensor "${name}" (${dtype} [${shape}]) requires ${size} elements, got ${data?.length ?? `${proto.rawData.length} bytes`}. The file may be damaged.`,
    );
  }
  return { dtype, shape, data };
}

/** Converts a tensor; its data is referenced, not copied. */
export function protoOfTensor(name: string, t: Tensor): TensorProto {
  return create(TensorProtoSchema, { name, dims: t.shape.map(BigInt), dataType: CODES[t.dtype], rawData: bytesOf(t) });
}

function rawView(raw: Uint8Array, dtype: DType, size: number): TypedArray | undefined {
  const bytes = bytesPerElement(dtype);
  if (raw.length !== size * bytes) return undefined;
  const aligned = raw.byteOffset % bytes === 0 ? raw : raw.slice();
  return new ARRAYS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, size); // files are never shared memory
}

/** Data in one of the typed fields: int32_data carries every type of 32 bits or less, float16 as bits. */
function typedData(proto: TensorProto, dtype: DType): TypedArray {
  switch (dtype) {
    case "float32":
      return Float32Array.from(proto.floatData);
    case "float64":
      return Float64Array.from(proto.doubleData);
    case "int64":
      return BigInt64Array.from(proto.int64Data);
    case "uint64":
      return BigUint64Array.from(proto.uint64Data);
    case "uint32":
      return Uint32Array.from(proto.uint64Data, Number);
    default:
      return ARRAYS[dtype].from(proto.int32Data);
  }
}
