/** HDF5 datatypes, dataspaces and attributes (HDF5 File Format Specification 3.0, IV.A.2). */
import type { DType } from "../tensor/dtype.ts";
import {
  address,
  type Cursor,
  expectSignature,
  type Hdf5Context,
  hdf5Error,
  length,
  NONE,
  structureAt,
  take,
  text,
  uint,
} from "./hdf5-cursor.ts";

/** An element type: numbers of a known type, text of fixed or variable length, or something that is not read. */
export type Datatype =
  | { readonly kind: "number"; readonly dtype: DType; readonly bytes: number; readonly littleEndian: boolean }
  | { readonly kind: "text" | "variable text"; readonly bytes: number }
  | { readonly kind: "other"; readonly name: string; readonly bytes: number };

const CLASSES = [
  ...["integer", "float", "time", "text", "bit field", "opaque", "compound"],
  ...["reference", "enumeration", "variable-length", "array", "complex"],
];

/** Reads a datatype message. */
export function readDatatype(h: Hdf5Context, c: Cursor): Datatype {
  const kind = uint(h, c, 1) & 0x0f;
  const flags = uint(h, c, 3);
  const bytes = uint(h, c, 4);
  const littleEndian = (flags & 1) === 0;
  const other: Datatype = { kind: "other", name: CLASSES[kind] ?? `class ${kind}`, bytes };
  if (kind === 3) return { kind: "text", bytes };
  if (kind === 9) return (flags & 0x0f) === 1 ? { kind: "variable text", bytes } : other;
  if (kind === 8) {
    const base = readDatatype(h, c); // booleans are an enumeration of int8 (h5py)
    return base.kind === "number" && base.dtype === "int8" ? { ...base, dtype: "bool" } : other;
  }
  const dtype =
    kind === 0 ? integer(h, c, bytes, (flags & 8) !== 0) : kind === 1 ? float(h, c, bytes, flags) : undefined;
  return dtype ? { kind: "number", dtype, bytes, littleEndian } : other;
}

function integer(h: Hdf5Context, c: Cursor, bytes: number, isSigned: boolean): DType | undefined {
  const bitOffset = uint(h, c, 2);
  const bits = uint(h, c, 2);
  if (bitOffset !== 0 || bits !== bytes * 8) return undefined;
  const types: Readonly<Record<number, DType>> = isSigned
    ? { 1: "int8", 2: "int16", 4: "int32", 8: "int64" }
    : { 1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64" };
  return types[bytes];
}

/** IEEE 754 types and bfloat16, by their number of exponent bits. */
function float(h: Hdf5Context, c: Cursor, bytes: number, flags: number): DType | undefined {
  take(h, c, 5); // bit offset, precision, exponent location
  const exponentBits = uint(h, c, 1);
  if ((flags & 0x40) !== 0) return undefined; // VAX order
  const types: Readonly<Record<string, DType>> = {
    "2 5": "float16",
    "2 8": "bfloat16",
    "4 8": "float32",
    "8 11": "float64",
  };
  return types[`${bytes} ${exponentBits}`];
}

/** Reads a dataspace message: the shape; a scalar has shape [], and undefined stands for no elements at all. */
export function readShape(h: Hdf5Context, c: Cursor): number[] | undefined {
  const version = uint(h, c, 1);
  const rank = uint(h, c, 1);
  take(h, c, 1);
  if (version === 1) take(h, c, 5);
  else if (version !== 2) throw hdf5Error(h, `a dataspace in it has version ${version}; 1 and 2 are known`);
  else if (uint(h, c, 1) === 2) return undefined;
  return Array.from({ length: rank }, () => length(h, c));
}

/** The value of an attribute: texts or numbers, in one list; undefined if it is of another type. */
export type AttributeValue = readonly string[] | readonly number[] | undefined;

/** An attribute whose value is read when it is asked for. */
export interface Attribute {
  readonly name: string;
  value(): AttributeValue;
}

/** Text in one attribute; model descriptions take megabytes. */
const MAX_ATTRIBUTE_ELEMENTS = 2 ** 20;

/** Reads an attribute message. */
export function readAttribute(h: Hdf5Context, bytes: Uint8Array): Attribute {
  const c: Cursor = { bytes, position: 0 };
  const version = uint(h, c, 1);
  const isShared = (uint(h, c, 1) & 3) !== 0 && version > 1;
  if (version < 1 || version > 3) throw hdf5Error(h, `an attribute in it has version ${version}; 1 to 3 are known`);
  const nameBytes = uint(h, c, 2);
  const typeBytes = uint(h, c, 2);
  const shapeBytes = uint(h, c, 2);
  if (version === 3) take(h, c, 1);
  const part = (size: number): Uint8Array =>
    take(h, c, version === 1 ? Math.ceil(size / 8) * 8 : size).subarray(0, size);
  const name = text(part(nameBytes));
  const type = part(typeBytes);
  const space = part(shapeBytes);
  const value = (): AttributeValue => {
    if (isShared) return undefined;
    const shape = readShape(h, { bytes: space, position: 0 });
    const datatype = readDatatype(h, { bytes: type, position: 0 });
    const count = shape?.reduce((product, dim) => product * dim, 1) ?? 0;
    if (count > MAX_ATTRIBUTE_ELEMENTS) throw hdf5Error(h, `the attribute "${name}" has ${count} elements`);
    return elements(h, { bytes: bytes.subarray(c.position), position: 0 }, datatype, count);
  };
  return { name, value };
}

function elements(h: Hdf5Context, c: Cursor, type: Datatype, count: number): AttributeValue {
  const each = <T>(read: () => T): T[] => Array.from({ length: count }, read);
  if (type.kind === "text") return each(() => text(take(h, c, type.bytes)));
  if (type.kind === "variable text") {
    const heaps: Heaps = new Map();
    return each(() => variableText(h, c, heaps));
  }
  if (type.kind === "number" && type.dtype.includes("int") && type.littleEndian)
    return each(() => uint(h, c, type.bytes));
  return undefined;
}

/** Collections of a global heap that were read, by address: objects by index. */
type Heaps = Map<number, ReadonlyMap<number, Uint8Array>>;

/** Text of variable length is kept in a global heap: its length, a collection's address, and an index there. */
function variableText(h: Hdf5Context, c: Cursor, heaps: Heaps): string {
  const bytes = uint(h, c, 4);
  const at = address(h, c);
  const index = uint(h, c, 4);
  if (bytes === 0 || at === NONE) return "";
  const collection = heaps.get(at) ?? readCollection(h, at);
  heaps.set(at, collection);
  const object = collection.get(index);
  if (!object) throw hdf5Error(h, `text ${index} of a collection in it is missing`);
  return text(object.subarray(0, bytes));
}

const MAX_COLLECTION_BYTES = 2 ** 26;

function readCollection(h: Hdf5Context, at: number): ReadonlyMap<number, Uint8Array> {
  const prefix = structureAt(h, at, 8 + h.lengthBytes);
  expectSignature(h, prefix, "GCOL");
  take(h, prefix, 4);
  const size = length(h, prefix);
  if (size > MAX_COLLECTION_BYTES) throw hdf5Error(h, `a collection of texts in it claims ${size} bytes`);
  const c = structureAt(h, at, size);
  c.position = prefix.position;
  const objects = new Map<number, Uint8Array>();
  while (c.position + 8 + h.lengthBytes <= size) {
    const index = uint(h, c, 2);
    take(h, c, 6);
    const bytes = length(h, c);
    if (index === 0) break; // free space
    objects.set(index, take(h, c, bytes));
    c.position = Math.min(size, Math.ceil(c.position / 8) * 8);
  }
  return objects;
}
