/**
 * A pickle machine that runs nothing: protocols 0 to 5 as `torch.save` and Python's pickle write them
 * (pickletools.py documents every opcode). Calls are looked up in a table by name; what is not in it becomes a
 * placeholder that remembers its name.
 */

import type { PickleReader } from "./pickle-reader.ts";
import { callGlobal, checkGlobal } from "./torch-calls.ts";
import { isKind, type PickleList, type PickleValue } from "./torch-values.ts";

/** What a container format knows that the pickle does not: how its persistent ids name storages. */
export type PersistentLoad = (id: PickleValue, reader: PickleReader) => PickleValue;

interface Machine {
  readonly reader: PickleReader;
  readonly persistentLoad: PersistentLoad;
  readonly stack: PickleValue[];
  /** Heights of the stack at which marks were set. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
}

const STOP = 0x2e;

/**
 * Reads one pickle and leaves the reader behind it.
 * @throws RootstockError BAD_MODEL if it is damaged, exceeds a limit, or asks for something that only an attack would.
 */
export function unpickle(reader: PickleReader, persistentLoad: PersistentLoad): PickleValue {
  const machine: Machine = { reader, persistentLoad, stack: [], marks: [], memo: new Map() };
  for (;;) {
    const code = reader.byte();
    if (code === STOP) return pop(machine);
    const step = OPCODES.get(code);
    if (!step) throw reader.error(`its pickle has the unknown opcode 0x${code.toString(16).padStart(2, "0")}`);
    reader.work(1);
    step(machine);
  }
}

type Step = (m: Machine) => void;

// Operands: little-endian numbers and text.

const u8 = (m: Machine): number => m.reader.byte();
const view = (m: Machine, length: number): DataView => {
  const bytes = m.reader.bytes(length);
  return new DataView(bytes.buffer, bytes.byteOffset, length);
};
const u16 = (m: Machine): number => view(m, 2).getUint16(0, true);
const u32 = (m: Machine): number => view(m, 4).getUint32(0, true);
const i32 = (m: Machine): number => view(m, 4).getInt32(0, true);
const u64 = (m: Machine): number => Number(view(m, 8).getBigUint64(0, true)); // beyond 2^53 it is beyond any file
const decoder = new TextDecoder();
const utf8 = (m: Machine, length: number): string => decoder.decode(m.reader.bytes(length));
const kept = (m: Machine, length: number): Uint8Array => m.reader.bytes(length).slice();

/** Python 2's strings are bytes; each becomes the character of that number. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Long integers beyond this many bytes are no numbers of a checkpoint. */
const LONGEST_INTEGER = 64;

/** A two's complement integer. */
function long(m: Machine, length: number): number | bigint {
  if (length > LONGEST_INTEGER) throw m.reader.error(`its pickle holds an integer of ${length} bytes`);
  let value = 0n;
  for (const byte of m.reader.bytes(length).slice().reverse()) value = (value << 8n) | BigInt(byte);
  return small(BigInt.asIntN(length * 8, value));
}

function longLine(m: Machine): number | bigint | boolean {
  const text = m.reader.line();
  if (text === "00" || text === "01") return text === "01"; // protocol 0 spells booleans so
  if (!/^[+-]?\d{1,150}L?$/.test(text)) throw m.reader.error(`its pickle holds "${text.slice(0, 40)}" for an integer`);
  return small(BigInt(text.replace("L", "").replace("+", "")));
}

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Takes the quotes and the escapes off a `repr` of a Python 2 string. */
function unquoted(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|n|t|r|\\|'|")/g, (all, hex: string | undefined) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : ({ n: "\n", t: "\t", r: "\r" }[all[1]!] ?? all[1]!),
    );
}

// The stack.

function pop(m: Machine): PickleValue {
  const floor = m.marks.at(-1) ?? 0;
  if (m.stack.length <= floor) throw m.reader.error("its pickle takes more from the stack than it put there");
  return m.stack.pop()!; // the height was checked
}

function top(m: Machine): PickleValue {
  const value = pop(m);
  m.stack.push(value);
  return value;
}

/** Takes everything above the last mark, and the mark. */
function popMark(m: Machine): PickleValue[] {
  const height = m.marks.pop();
  if (height === undefined) throw m.reader.error("its pickle has no mark on the stack");
  m.reader.work(m.stack.length - height);
  return m.stack.splice(height);
}

function popText(m: Machine): string {
  const value = pop(m);
  if (typeof value === "string") return value;
  throw m.reader.error("its pickle names a class by something that is no text");
}

/** What containers cost beside their opcode: about in proportion to the memory that they take. */
const LIST_WORK = 2;
const OBJECT_WORK = 8;

function list(m: Machine, items: PickleValue[]): PickleList {
  m.reader.work(LIST_WORK);
  return { kind: "list", items };
}

function take(m: Machine, count: number): PickleValue[] {
  return Array.from({ length: count }, () => pop(m)).reverse();
}

// Objects.

function pushGlobal(m: Machine, module: string, name: string): void {
  m.stack.push(checkGlobal(m.reader, module, name));
}

function call(m: Machine, callee: PickleValue, args: PickleValue): void {
  const items = isKind(args, "list") ? args.items : [args];
  m.reader.work(OBJECT_WORK + items.length);
  m.stack.push(callGlobal(m.reader, callee, items));
}

/** `copyreg.__newobj__`: like a call of the class. */
function newObject(m: Machine, hasKeywords: boolean): void {
  if (hasKeywords) pop(m);
  const args = pop(m);
  call(m, pop(m), args);
}

/** `__setstate__`: kept by placeholders; containers and tensors need nothing of it. */
function build(m: Machine): void {
  const state = pop(m);
  const target = top(m);
  if (isKind(target, "opaque")) target.state = state;
}

function append(m: Machine, items: readonly PickleValue[]): void {
  const target = top(m);
  if (isKind(target, "list")) for (const item of items) target.items.push(item);
  else if (!isKind(target, "opaque")) throw m.reader.error("its pickle appends to something that is no list");
}

function setItems(m: Machine, items: readonly PickleValue[]): void {
  const target = top(m);
  if (!(isKind(target, "dict") || isKind(target, "opaque")) || items.length % 2 !== 0)
    throw m.reader.error("its pickle puts items into something that is no dict");
  for (let i = 0; i < items.length; i += 2) target.entries.set(items[i]!, items[i + 1]!);
}

function dict(m: Machine, items: readonly PickleValue[]): void {
  m.reader.work(OBJECT_WORK);
  m.stack.push({ kind: "dict", entries: new Map() });
  setItems(m, items);
}

function remember(m: Machine, index: number): void {
  m.memo.set(index, top(m));
}

function recall(m: Machine, index: number): void {
  const value = m.memo.get(index);
  if (value === undefined) throw m.reader.error(`its pickle recalls entry ${index}, which was not stored`);
  m.stack.push(value);
}

function index(m: Machine): number {
  return Number(m.reader.line());
}

function persistent(m: Machine, id: PickleValue): void {
  m.stack.push(m.persistentLoad(id, m.reader));
}

const push =
  (make: (m: Machine) => PickleValue): Step =>
  (m) => {
    m.stack.push(make(m));
  };

const char = (text: string): number => text.charCodeAt(0);

const OPCODES: ReadonlyMap<number, Step> = new Map<number, Step>([
  // Framing.
  [0x80, (m) => void u8(m)], // PROTO
  [0x95, (m) => void u64(m)], // FRAME

  // Constants and numbers.
  [char("N"), push(() => null)],
  [0x88, push(() => true)],
  [0x89, push(() => false)],
  [char("K"), push(u8)],
  [char("M"), push(u16)],
  [char("J"), push(i32)],
  [0x8a, push((m) => long(m, u8(m)))],
  [0x8b, push((m) => long(m, u32(m)))],
  [char("I"), push(longLine)],
  [char("L"), push(longLine)],
  [char("G"), push((m) => view(m, 8).getFloat64(0, false))],
  [char("F"), push((m) => Number(m.reader.line()))],

  // Text and bytes.
  [char("X"), push((m) => utf8(m, u32(m)))],
  [0x8c, push((m) => utf8(m, u8(m)))],
  [0x8d, push((m) => utf8(m, u64(m)))],
  [char("V"), push((m) => m.reader.line())],
  [char("U"), push((m) => latin1(m.reader.bytes(u8(m))))],
  [char("T"), push((m) => latin1(m.reader.bytes(u32(m))))],
  [char("S"), push((m) => unquoted(m.reader.line()))],
  [char("C"), push((m) => kept(m, u8(m)))],
  [char("B"), push((m) => kept(m, u32(m)))],
  [0x8e, push((m) => kept(m, u64(m)))],
  [0x96, push((m) => kept(m, u64(m)))],

  // Containers. Tuples and sets are read like lists.
  [char("("), (m) => void m.marks.push(m.stack.length)],
  [char(")"), push((m) => list(m, []))],
  [char("]"), push((m) => list(m, []))],
  [0x8f, push((m) => list(m, []))],
  [char("}"), (m) => dict(m, [])],
  [0x85, push((m) => list(m, take(m, 1)))],
  [0x86, push((m) => list(m, take(m, 2)))],
  [0x87, push((m) => list(m, take(m, 3)))],
  [char("t"), push((m) => list(m, popMark(m)))],
  [char("l"), push((m) => list(m, popMark(m)))],
  [0x91, push((m) => list(m, popMark(m)))],
  [char("d"), (m) => dict(m, popMark(m))],
  [char("a"), (m) => append(m, [pop(m)])],
  [char("e"), (m) => append(m, popMark(m))],
  [0x90, (m) => append(m, popMark(m))],
  [char("s"), (m) => setItems(m, take(m, 2))],
  [char("u"), (m) => setItems(m, popMark(m))],

  // The stack and the memo.
  [char("0"), (m) => void (m.marks.at(-1) === m.stack.length ? m.marks.pop() : pop(m))],
  [char("1"), (m) => void popMark(m)],
  [char("2"), push(top)],
  [char("q"), (m) => remember(m, u8(m))],
  [char("r"), (m) => remember(m, u32(m))],
  [char("p"), (m) => remember(m, index(m))],
  [0x94, (m) => remember(m, m.memo.size)],
  [char("h"), (m) => recall(m, u8(m))],
  [char("j"), (m) => recall(m, u32(m))],
  [char("g"), (m) => recall(m, index(m))],

  // Objects.
  [char("c"), (m) => pushGlobal(m, m.reader.line(), m.reader.line())],
  [0x93, (m) => pushGlobal(m, ...([popText(m), popText(m)].reverse() as [string, string]))], // two were taken
  [char("R"), (m) => newObject(m, false)],
  [0x81, (m) => newObject(m, false)],
  [0x92, (m) => newObject(m, true)],
  [char("b"), build],
  [
    char("i"),
    (m) => {
      const callee = checkGlobal(m.reader, m.reader.line(), m.reader.line());
      call(m, callee, list(m, popMark(m)));
    },
  ],
  [
    char("o"),
    (m) => {
      const [callee = null, ...args] = popMark(m);
      call(m, callee, list(m, args));
    },
  ],
  [char("P"), (m) => persistent(m, m.reader.line())],
  [char("Q"), (m) => persistent(m, pop(m))],
]);
