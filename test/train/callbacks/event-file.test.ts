import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { crc32c, encodeEvent } from "../../../src/train/callbacks/event-file.ts";
import { readEvents } from "./event-reader.ts";

const golden = JSON.parse(readFileSync(new URL("../../golden/callbacks/events.json", import.meta.url), "utf8")) as {
  base64: string;
}; // as make_events.py writes it
const theirs = Buffer.from(golden.base64, "base64");

const TIME = 1700000000.25;
const EMPTY = { fileVersion: undefined, writer: undefined, session: undefined, scalars: {}, texts: {} };
const EVENTS = [
  { ...EMPTY, step: 0, session: 1 },
  { ...EMPTY, step: 7, scalars: { "train/loss": 1.25, "validation/accuracy": 0.5 } },
  { ...EMPTY, step: 2 ** 40, scalars: { x: Number.NaN } },
  { ...EMPTY, step: 3, texts: { hyperparameters: "| a | ü |" } },
].map((event) => ({ ...event, wallTime: TIME }));

test("the reader of these tests reads a file by TensorBoard itself", () => {
  const [head, ...rest] = readEvents(theirs);
  expect(head).toMatchObject({ step: 0, fileVersion: "brain.Event:2", scalars: {} });
  expect(rest).toEqual(EVENTS);
});

test("the reader of these tests sees a flipped bit anywhere, and stops at a record that is not complete", () => {
  for (let bit = 0; bit < 8 * theirs.length; bit += 13) {
    const damaged = Buffer.from(theirs);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => readEvents(damaged)).toThrow(/bad (length|record)/);
  }
  for (const end of [1, 11, 13, 40, theirs.length - 1])
    expect(readEvents(theirs.subarray(0, end)).length).toBeLessThan(5);
});

test("what is written is read back", () => {
  const records = [
    encodeEvent({ wallTime: TIME, step: 0, what: { kind: "version" } }),
    encodeEvent({ wallTime: TIME, step: 0, what: { kind: "start" } }),
    encodeEvent({
      wallTime: TIME,
      step: 7,
      what: { kind: "scalars", values: { "train/loss": 1.25, "validation/accuracy": 0.5 } },
    }),
    encodeEvent({ wallTime: TIME, step: 2 ** 40, what: { kind: "scalars", values: { x: Number.NaN } } }),
    encodeEvent({ wallTime: TIME, step: 3, what: { kind: "text", tag: "hyperparameters", markdown: "| a | ü |" } }),
  ];
  expect(readEvents(Buffer.concat(records))).toEqual([
    { ...EMPTY, wallTime: TIME, step: 0, fileVersion: "brain.Event:2", writer: "rootstock" },
    ...EVENTS,
  ]);
});

test("scalars and starts have the bytes that TensorBoard writes", () => {
  for (const record of [
    encodeEvent({
      wallTime: TIME,
      step: 7,
      what: { kind: "scalars", values: { "train/loss": 1.25, "validation/accuracy": 0.5 } },
    }),
    encodeEvent({ wallTime: TIME, step: 2 ** 40, what: { kind: "scalars", values: { x: Number.NaN } } }),
    encodeEvent({ wallTime: TIME, step: 0, what: { kind: "start" } }),
  ])
    expect(theirs.includes(Buffer.from(record))).toBe(true);
});

test("numbers beyond float32 become infinite, and tags may be any text", () => {
  const values = { big: 1e300, small: -1e300, "": 1, "ä/\0": 0.1 };
  const [event] = readEvents(Buffer.from(encodeEvent({ wallTime: 1, step: 1, what: { kind: "scalars", values } })));
  expect(event!.scalars).toEqual({
    big: Number.POSITIVE_INFINITY,
    small: Number.NEGATIVE_INFINITY,
    "": 1,
    "ä/\0": Math.fround(0.1),
  });
});

test.each([
  ["123456789", 0xe3069283],
  ["", 0],
  ["\0".repeat(32), 0x8a9136aa], // RFC 3720, appendix B.4
])("the CRC-32C of %j is that of the standard", (text, expected) => {
  expect(crc32c(Buffer.from(text))).toBe(expected);
});
