/**
 * Reads TensorBoard event files from the specification (TFRecord: tensorflow/core/lib/io/record_reader.h; messages:
 * event.proto, summary.proto, tensor.proto; CRC-32C: RFC 3720). It shares no code with what writes them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion: string | undefined;
  readonly writer: string | undefined;
  /** SessionLog.status: 1 is START. */
  readonly session: number | undefined;
  readonly scalars: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, string>>;
}

/** The events of a file, up to the first record that is not complete. Throws where a checksum is wrong. */
export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  let at = 0;
  while (at + 12 <= file.length) {
    const length = Number(file.readBigUInt64LE(at));
    if (file.readUInt32LE(at + 8) !== maskedCrc(file.subarray(at, at + 8))) throw new Error(`bad length at ${at}`);
    const end = at + 12 + length + 4;
    if (end > file.length) break;
    const message = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(end - 4) !== maskedCrc(message)) throw new Error(`bad record at ${at}`);
    events.push(eventOf(message));
    at = end;
  }
  return events;
}

/**
 * Points [step, value] of each tag as TensorBoard shows a run: its files in the order of their names, where a second
 * SessionLog.START takes back what was said of its step and of later ones.
 */
export function readRun(folder: string): Record<string, [number, number][]> {
  const points: Record<string, [number, number][]> = {};
  let started = false;
  for (const name of readdirSync(folder).sort()) {
    if (!name.includes("tfevents")) continue;
    for (const { step, session, scalars } of readEvents(readFileSync(join(folder, name)))) {
      if (session === 1) {
        if (started) for (const tag of Object.keys(points)) points[tag] = points[tag]!.filter(([at]) => at < step);
        started = true;
      }
      for (const [tag, value] of Object.entries(scalars)) {
        points[tag] ??= [];
        points[tag].push([step, value]);
      }
    }
  }
  return points;
}

/** The checksum bit by bit, then rotated right by 15 bits and moved by a constant. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  crc ^= 0xffffffffn;
  return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

type Field = { readonly number: number; readonly value: bigint } | { readonly number: number; readonly bytes: Buffer };

/** The fields of a message in their order: numbers, and bytes of every other kind. */
function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const [number, kind] = [tag >> 3, tag & 7];
    if (kind === 0) {
      fields.push({ number, value: varint() });
      continue;
    }
    const size = kind === 2 ? Number(varint()) : ({ 1: 8, 5: 4 }[kind] ?? Number.NaN);
    if (!(at + size <= message.length)) throw new Error(`field ${number} of kind ${kind} leaves the message`);
    fields.push({ number, bytes: message.subarray(at, at + size) });
    at += size;
  }
  return fields;
}

/** The last field of a number. */
function bytesOf(message: Buffer | undefined, number: number): Buffer | undefined {
  const field = fieldsOf(message ?? Buffer.alloc(0)).findLast((one) => one.number === number);
  return field && "bytes" in field ? field.bytes : undefined;
}

function numberOf(message: Buffer | undefined, number: number): number | undefined {
  const field = fieldsOf(message ?? Buffer.alloc(0)).findLast((one) => one.number === number);
  return field && "value" in field ? Number(BigInt.asIntN(64, field.value)) : undefined;
}

function eventOf(message: Buffer): ReadEvent {
  const scalars: Record<string, number> = {};
  const texts: Record<string, string> = {};
  for (const field of fieldsOf(bytesOf(message, 5) ?? Buffer.alloc(0))) {
    if (field.number !== 1 || !("bytes" in field)) continue;
    const tag = bytesOf(field.bytes, 1)!.toString("utf8");
    const simple = bytesOf(field.bytes, 2);
    if (simple) scalars[tag] = simple.readFloatLE();
    const tensor = bytesOf(field.bytes, 8);
    const plugin = bytesOf(bytesOf(bytesOf(field.bytes, 9), 1), 1)?.toString("utf8");
    if (tensor && plugin === "text" && numberOf(tensor, 1) === 7) texts[tag] = bytesOf(tensor, 8)!.toString("utf8");
  }
  const session = bytesOf(message, 7);
  return {
    wallTime: bytesOf(message, 1)!.readDoubleLE(),
    step: numberOf(message, 2) ?? 0,
    fileVersion: bytesOf(message, 3)?.toString("utf8"),
    writer: bytesOf(bytesOf(message, 10), 1)?.toString("utf8"),
    session: session && numberOf(session, 1),
    scalars,
    texts,
  };
}
