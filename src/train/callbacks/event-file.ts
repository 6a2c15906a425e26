/**
 * Records of TensorBoard's event files: each is an Event message (tensorflow/core/util/event.proto) in the framing of
 * TFRecord (tensorflow/core/lib/io/record_writer.h): length, its checksum, the message, its checksum.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** What one record says, at a moment and a step of the run. */
export interface EventRecord {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** Updates so far. */
  readonly step: number;
  readonly what:
    | { readonly kind: "version" } // the first record of every file
    | { readonly kind: "start" } // readers forget what other files of the run say from this step on
    | { readonly kind: "scalars"; readonly values: Readonly<Record<string, number>> }
    | { readonly kind: "text"; readonly tag: string; readonly markdown: string };
}

/** The record as bytes of an event file. */
export function encodeEvent({ wallTime, step, what }: EventRecord): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(EVENT.wallTime, WireType.Bit64).double(wallTime);
  if (step !== 0) writer.tag(EVENT.step, WireType.Varint).int64(step);
  switch (what.kind) {
    case "version":
      text(writer, EVENT.fileVersion, "brain.Event:2");
      nested(writer, EVENT.sourceMetadata, (w) => text(w, SOURCE_WRITER, "rootstock"));
      break;
    case "start":
      nested(writer, EVENT.sessionLog, (w) => w.tag(SESSION_STATUS, WireType.Varint).int32(SESSION_START));
      break;
    case "scalars":
      nested(writer, EVENT.summary, (w) => {
        for (const [tag, value] of Object.entries(what.values)) scalar(w, tag, value);
      });
      break;
    case "text":
      nested(writer, EVENT.summary, (w) => markdown(w, what.tag, what.markdown));
      break;
  }
  return framed(writer.finish());
}

/** Field numbers of Event. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7, sourceMetadata: 10 } as const;
/** SourceMetadata.writer */
const SOURCE_WRITER = 1;
/** SessionLog.status and its value START */
const SESSION_STATUS = 1;
const SESSION_START = 1;
/** Summary.value */
const SUMMARY_VALUE = 1;
/** Field numbers of Summary.Value. */
const VALUE = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 } as const;
/** Field numbers of SummaryMetadata and of its PluginData; the class of data that are tensors. */
const METADATA = { pluginData: 1, dataClass: 4 } as const;
const PLUGIN_NAME = 1;
const DATA_CLASS_TENSOR = 2;
/** Field numbers of TensorProto; the element type string. */
const TENSOR = { dtype: 1, shape: 2, strings: 8 } as const;
const DT_STRING = 7;

function scalar(writer: BinaryWriter, tag: string, value: number): void {
  nested(writer, SUMMARY_VALUE, (w) => {
    text(w, VALUE.tag, tag);
    w.tag(VALUE.simpleValue, WireType.Bit32).raw(float32(value));
  });
}

/** Any number as float32, with infinity beyond its range: the library's own writer refuses such numbers. */
function float32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

/** A text for the dashboard of that name, which renders Markdown: a tensor of one string. */
function markdown(writer: BinaryWriter, tag: string, content: string): void {
  nested(writer, SUMMARY_VALUE, (value) => {
    text(value, VALUE.tag, tag);
    nested(value, VALUE.tensor, (w) => {
      w.tag(TENSOR.dtype, WireType.Varint).int32(DT_STRING);
      nested(w, TENSOR.shape, () => undefined); // no dimensions
      text(w, TENSOR.strings, content);
    });
    nested(value, VALUE.metadata, (w) => {
      nested(w, METADATA.pluginData, (plugin) => text(plugin, PLUGIN_NAME, "text"));
      w.tag(METADATA.dataClass, WireType.Varint).int32(DATA_CLASS_TENSOR);
    });
  });
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function nested(writer: BinaryWriter, field: number, content: (writer: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  content(writer);
  writer.join();
}

/** A TFRecord: uint64 length, uint32 masked CRC of the length, the bytes, uint32 masked CRC of the bytes; little-endian. */
function framed(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(12 + bytes.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(bytes, 12);
  view.setUint32(12 + bytes.length, masked(crc32c(bytes)), true);
  return record;
}

/** What is stored instead of a CRC, as a CRC of bytes that hold their own CRC is a poor one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli; RFC 3720, appendix B.4), an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/** Remainders of all bytes by the reflected polynomial. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});
