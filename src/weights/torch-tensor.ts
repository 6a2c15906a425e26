/** A tensor of a PyTorch file: a strided view of a storage → row-major elements of its own. */
import { RootstockError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { isCount } from "./byte-source.ts";
import { countElements, tensorOfBytes } from "./elements.ts";
import { rowMajor } from "./numpy-pickle.ts";
import type { TensorEntry } from "./tensor-source.ts";
import type { TorchStorage, TorchTensor } from "./torch-values.ts";

/** Reads bytes of a storage. The returned buffer starts with them and belongs to the caller. */
export type ReadStorage = (storage: TorchStorage, offset: number, length: number) => Uint8Array;

/** A view that repeats elements may have this many, even if its storage is smaller. */
const FREE_ELEMENTS = 2 ** 20;

/**
 * An entry of a tensor source for a view of a storage.
 * @param where the file and the tensor's name, for messages.
 * @throws RootstockError BAD_MODEL if its type cannot be read, or the view leaves its storage.
 */
export function torchEntry(
  view: TorchTensor,
  readStorage: ReadStorage,
  { where, littleEndian }: { readonly where: string; readonly littleEndian: boolean },
): TensorEntry {
  const { type, shape, storage } = view;
  const { dtype } = type;
  if (!dtype) {
    throw new RootstockError(
      "BAD_MODEL",
      `${where} has elements of type ${type.name}, which cannot be read. Convert the model to float32 and save it again.`,
    );
  }
  const count = countElements(shape, where);
  const span = spanOf(view, count, where);
  const start = (storage.start + view.offset) * type.bytes;
  return {
    dtype,
    shape,
    bytes: count * type.bytes,
    read(): Tensor {
      const bytes = span === 0 ? new Uint8Array() : readStorage(storage, start, span * type.bytes);
      const rows = isContiguous(view) ? bytes : gather(bytes, view, count);
      return tensorOfBytes(dtype, shape, rows, littleEndian);
    },
  };
}

/** Number of elements from the view's first to its last. */
function spanOf(view: TorchTensor, count: number, where: string): number {
  const { shape, strides, storage, type, offset } = view;
  if (shape.length !== strides.length)
    throw outside(where, `it has ${shape.length} dimensions but ${strides.length} strides`);
  if (count === 0) return 0;
  const span = shape.reduce((last, dim, i) => last + (dim - 1) * strides[i]!, 1);
  const room = Math.floor((storage.count * storage.type.bytes) / type.bytes);
  if (!isCount(span) || storage.start + offset + span > room)
    throw outside(
      where,
      `it requires elements up to ${storage.start + offset + span} of storage ${storage.key}, which has ${room}`,
    );
  if (count > Math.max(room, FREE_ELEMENTS)) throw outside(where, `it repeats ${room} elements to ${count}`);
  return span;
}

/** Whether the view's elements are in memory in the order of its indices, without gaps. */
function isContiguous({ shape, strides }: TorchTensor): boolean {
  const expected = rowMajor(shape);
  return shape.every((dim, i) => dim === 1 || strides[i] === expected[i]);
}

/** Arrays by element width: only bits are moved. */
const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Float64Array } as const;

/** Copies the elements of a strided view in row-major order. */
function gather(bytes: Uint8Array, view: TorchTensor, count: number): Uint8Array {
  const { shape, strides, type } = view;
  const Words = WORDS[type.bytes as keyof typeof WORDS]; // readable types have these widths
  const from = new Words(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / type.bytes);
  const to = new Words(count);
  const index = new Array<number>(shape.length).fill(0);
  const last = shape.length - 1;
  const inner = shape[last]!;
  const step = strides[last]!;
  let source = 0;
  for (let i = 0; i < count; ) {
    for (let k = 0; k < inner; k++) to[i++] = from[source + k * step]!;
    for (let d = last - 1; d >= 0; d--) {
      source += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      source -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return new Uint8Array(to.buffer);
}

function outside(where: string, problem: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${where} is no view of its storage: ${problem}. The file is damaged.`);
}
