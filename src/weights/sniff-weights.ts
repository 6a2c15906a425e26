/** Names what a file is that was given for weights and is none: people download pages, pointers and other formats. */
import type { ByteSource } from "./byte-source.ts";

/** Strings to find at offsets, all of them; one character for each byte. */
type Magic = { readonly [offset: number]: string };

/** Other formats; what is said of them reads on from "it". The first that fits is meant. */
const FOREIGN: readonly (readonly [magic: Magic, what: string])[] = [
  [{ 0: "version https://git-lfs" }, "is a Git LFS pointer, not the file itself. Run `git lfs pull`"],
  [{ 0: "\x1f\x8b" }, "is compressed with gzip. Decompress it first"],
  ...["BZh", "\xfd7zXZ", "7z\xbc\xaf", "\x28\xb5\x2f\xfd", "Rar!"].map((start): [Magic, string] => [
    { 0: start },
    "is a compressed archive. Decompress it first",
  ]),
  [{ 257: "ustar" }, "is a tar archive. Unpack it and name the weights file in it"],
  [
    { 0: "model_checkpoint_path:" },
    "is the list of a TensorFlow checkpoint. Load it in Keras and save the weights as .h5",
  ],
  [{ 4: "TFL3" }, "is a TensorFlow Lite model. Export the model as ONNX"],
  [{ 0: "GGUF" }, "is a GGUF file, which holds language models"],
  [{ 0: "\x93NUMPY" }, "is a single NumPy array without names. Save the tensors as safetensors"],
  ...["\x01", "\x02"].map((minor): [Magic, string] => [
    { 0: `\0\0\0\0${minor}\0\0\0`, 9: "\0\0\0" },
    "is a Darknet weights file, which means nothing without its .cfg. Export the model as ONNX",
  ]),
  [{ 0: "\xff\xd8\xff" }, "is a picture"],
  [{ 0: "\x89PNG" }, "is a picture"],
  [{ 0: "\0".repeat(64) }, "starts with zeros only, as a failed copy does"],
];

/** The last bytes of a TensorFlow checkpoint's index, a LevelDB table. */
const LEVELDB_MAGIC = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";

/**
 * What a file is whose first bytes are `head`; the answer reads on from "it".
 * @param json the file's contents if they are JSON.
 */
export function sniffForeign(source: ByteSource, head: Uint8Array, json?: unknown): string {
  const text = latin1(head);
  if (isTensorFlow(source)) return "is part of a TensorFlow checkpoint. Load it in Keras and save the weights as .h5";
  for (const [magic, what] of FOREIGN) if (matches(text, magic)) return what;
  if (isOnnx(head)) return "is an ONNX model, weights and graph in one. Name it as the model itself";
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)/i.test(text))
    return "is a web page, such as the error page of a failed download";
  if (typeof json === "object" && json !== null) return describeJson(json);
  if (/^\s*[{[]\s*["[{\]}]/.test(text)) return "looks like JSON that is cut off or damaged";
  if (head.every((byte) => (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13))) return "is a text file";
  const first = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `is of no known format (first bytes ${first}), or damaged. safetensors, PyTorch and Keras HDF5 files are read`;
}

function describeJson(json: object): string {
  if ("modelTopology" in json || "weightsManifest" in json)
    return "is a TensorFlow.js model, weights and layers in one. Name it as the model itself";
  if ("weight_map" in json) return "is an index of other files, which has to be opened by its own path";
  if ("class_name" in json && "config" in json) return "describes the layers of a Keras model, without weights";
  return `is JSON without a "weight_map"`;
}

/** The index of a checkpoint ends like a LevelDB table; its data shards have nothing to tell them by but the name. */
function isTensorFlow(source: ByteSource): boolean {
  if (/\.data-\d{5}-of-\d{5}$/.test(source.name)) return true;
  return source.size >= 48 && latin1(source.read(source.size - 8, 8)) === LEVELDB_MAGIC;
}

function matches(text: string, magic: Magic): boolean {
  return Object.entries(magic).every(([offset, part]) => text.startsWith(part, Number(offset)));
}

/** A protobuf message of a ModelProto: field 1 is the version, then a text, the graph or the opsets follow. */
function isOnnx([tag, version = 0, next = 0]: Uint8Array): boolean {
  return tag === 0x08 && version >= 1 && version <= 32 && [0x12, 0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42].includes(next);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
