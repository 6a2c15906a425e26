/**
 * The safetensors format: 8 bytes with the header's length, a JSON header, then the tensors' bytes one after the other
 * (github.com/huggingface/safetensors, README "Format"). Read in place, written atomically.
 */
import { listed, RootstockError } from "../errors.ts";
import { bytesPerElement, type DType } from "../tensor/dtype.ts";
import { bytesOf, type Tensor } from "../tensor/tensor.ts";
import { type ByteSource, isCount } from "./byte-source.ts";
import { countElements, tensorOfBytes } from "./elements.ts";
import { writeAtomically } from "./files.ts";
import { jsonExcess } from "./json-scan.ts";
import { type TensorEntry, type TensorSource, tensorSource } from "./tensor-source.ts";

const DTYPES: ReadonlyMap<string, DType> = new Map([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U64", "uint64"],
  ["U32", "uint32"],
  ["U16", "uint16"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);
const CODES: ReadonlyMap<DType, string> = new Map([...DTYPES].map(([code, dtype]) => [dtype, code]));

const LENGTH_BYTES = 8;
/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";

/** Where a tensor is in a safetensors file: from byte `begin` to before byte `end` of the data. */
export interface SafetensorsRecord {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  /** First byte of the data. */
  readonly start: number;
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, SafetensorsRecord>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Opens a safetensors file.
 * @throws RootstockError BAD_MODEL if the header is damaged, or tensors overlap, leave gaps or leave the file.
 */
export function openSafetensors(source: ByteSource): TensorSource {
  const { start, tensors, metadata } = readSafetensorsHeader(source);
  const entries = new Map<string, TensorEntry>();
  for (const [name, { dtype, shape, begin, end }] of tensors) {
    const bytes = end - begin;
    const read = (): Tensor => tensorOfBytes(dtype, shape, source.read(start + begin, bytes));
    entries.set(name, { dtype, shape, bytes, read });
  }
  return tensorSource({ format: "safetensors", origin: source.name, entries, metadata, close: () => source.close() });
}

/**
 * Reads what a safetensors file says of its tensors; there may be none.
 * @throws RootstockError BAD_MODEL if the header is damaged, or tensors overlap, leave gaps or leave the file.
 */
export function readSafetensorsHeader(source: ByteSource): SafetensorsHeader {
  const { header, start } = parseHeader(source);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, SafetensorsRecord>();
  const problems: string[] = [];
  for (const [name, record] of Object.entries(header)) {
    if (name === METADATA) {
      if (isRecord(record)) for (const [key, value] of Object.entries(record)) metadata.set(key, String(value));
      continue;
    }
    const tensor = checkTensor(name, record);
    if (typeof tensor === "string") problems.push(tensor);
    else tensors.set(name, tensor);
  }
  if (problems.length > 0) throw damaged(source, listed(problems));
  checkRanges(source, tensors, source.size - start);
  return { start, tensors, metadata };
}

/** A safetensors file as chunks to be written in order. Names keep their order; wide elements come first, aligned. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const width = ([, t]: readonly [string, Tensor]): number => bytesPerElement(t.dtype);
  const byWidth = [...tensors].toSorted((a, b) => width(b) - width(a));
  const offsets = new Map<string, readonly [number, number]>();
  let end = 0;
  for (const [name, t] of byWidth) {
    offsets.set(name, [end, end + t.data.byteLength]);
    end += t.data.byteLength;
  }
  const records = [...tensors].map(([name, t]): [string, unknown] => {
    if (name === METADATA)
      throw new RootstockError("BAD_MODEL", `a tensor cannot be named "${METADATA}" in safetensors.`);
    return [name, { dtype: CODES.get(t.dtype), shape: t.shape, data_offsets: offsets.get(name) }];
  });
  const about: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...about, ...records])));
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, LENGTH_BYTES);
  return [header, ...byWidth.map(([, t]) => bytesOf(t))];
}

/**
 * Writes tensors as a safetensors file, atomically.
 * @param metadata free text for the file's `__metadata__`.
 * @throws RootstockError CANNOT_WRITE
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  return writeAtomically(path, encodeSafetensors(tensors, metadata));
}

/** The length of a safetensors header by the first 8 bytes of a file, if they can be one. */
export function headerLength(head: Uint8Array): number | undefined {
  if (head.length < LENGTH_BYTES + 1 || head[LENGTH_BYTES] !== 0x7b) return undefined;
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  return isCount(length) ? length : undefined;
}

function parseHeader(source: ByteSource): { header: Readonly<Record<string, unknown>>; start: number } {
  const length = headerLength(source.read(0, Math.min(source.size, LENGTH_BYTES + 1)));
  if (length === undefined) throw damaged(source, "it does not start with the length of a JSON header");
  if (length > MAX_HEADER_BYTES)
    throw damaged(source, `its header claims ${length} bytes; ${MAX_HEADER_BYTES} are allowed`);
  const start = LENGTH_BYTES + length;
  if (start > source.size)
    throw damaged(source, `it is truncated: its header has ${length} bytes, the file ${source.size}`);
  const text = source.read(LENGTH_BYTES, length);
  const excess = jsonExcess(text);
  if (excess) throw damaged(source, `its header ${excess}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    throw damaged(source, "its header is no JSON text", { cause });
  }
  if (!isRecord(header)) throw damaged(source, "its header is no JSON object");
  return { header, start };
}

/** The header's record of a tensor, or what is wrong with it. */
function checkTensor(name: string, record: unknown): SafetensorsRecord | string {
  if (!isRecord(record)) return `"${name}" has no record`;
  const { dtype: code, shape, data_offsets: offsets } = record;
  const dtype = typeof code === "string" ? DTYPES.get(code) : undefined;
  if (!dtype) return `"${name}" has the element type ${String(code).slice(0, 40)}, which cannot be read`;
  if (!(Array.isArray(shape) && Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount)))
    return `"${name}" has no shape or no offsets`;
  const [begin, end] = offsets as [number, number]; // each was checked
  let count: number;
  try {
    count = countElements(shape, `"${name}"`);
  } catch {
    return `"${name}" has the shape [${shape.slice(0, 8).join(", ")}]`;
  }
  const bytes = count * bytesPerElement(dtype);
  if (end - begin !== bytes)
    return `"${name}" requires ${bytes} bytes for [${shape.join(", ")}] but has ${end - begin}`;
  return { dtype, shape: [...shape] as number[], begin, end }; // counted, so all are numbers
}

/** Tensors fill the rest of the file, without overlaps and gaps, as the format requires. */
function checkRanges(source: ByteSource, tensors: ReadonlyMap<string, SafetensorsRecord>, size: number): void {
  let end = 0;
  let before = "the header";
  for (const [name, range] of [...tensors].toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (range.begin < end) throw damaged(source, `"${name}" overlaps ${before}`);
    if (range.begin > end) throw damaged(source, `between ${before} and "${name}" there are bytes of no tensor`);
    end = range.end;
    before = `"${name}"`;
  }
  if (end > size)
    throw damaged(source, `it is truncated: ${before} ends at byte ${end} of the data, which has ${size}`);
  if (end < size) throw damaged(source, `after ${before} there are ${size - end} bytes of no tensor`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(source: ByteSource, problem: string, options?: ErrorOptions): RootstockError {
  return new RootstockError("BAD_MODEL", `${source.name} is no usable safetensors file: ${problem}.`, options);
}
