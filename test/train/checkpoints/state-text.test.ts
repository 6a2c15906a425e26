import { expect, test } from "vitest";
import type { Json } from "../../../src/json.ts";
import { decodeState, encodeState } from "../../../src/train/checkpoints/state-text.ts";

const NUMBERS = [
  0,
  -0,
  1e308,
  5e-324,
  0.1,
  2 ** 53 - 1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

test.each<[string, Json]>([
  ["numbers", NUMBERS],
  ["a number alone", Number.POSITIVE_INFINITY],
  ["null", null],
  ["texts", ["", "ü\u2028\0", "\ud800 alone", '"sha256":"0"', "a".repeat(100_000)]],
  ["keys that start like the mark of numbers", { $number: "NaN", $$number: 1, $: null, a: { $number: -0 } }],
  ["names of an object's own members", JSON.parse('{ "__proto__": { "x": 1 }, "constructor": 2, "toString": [] }')],
  ["nothing in lists and objects", [[], {}, [[]], { a: {} }]],
  ["nested lists", JSON.parse("[".repeat(64) + "]".repeat(64))],
  ["a special number at the bottom of nested lists", nested(64, -0)],
])("reads what it wrote: %s", (_what, state) => {
  const read = decodeState(encodeState(state));
  expect(read).toStrictEqual(state); // tells -0 from 0
  expect(JSON.stringify(read)).toBe(JSON.stringify(state)); // and the order of keys
});

function nested(depth: number, inner: Json): Json {
  return depth === 0 ? inner : [nested(depth - 1, inner)];
}

test("leaves out keys without a value, as JSON does", () => {
  expect(decodeState(encodeState({ a: undefined, b: 1 }))).toStrictEqual({ b: 1 });
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

test.each<[string, unknown, string]>([
  [
    "a typed array",
    { callbacks: { mine: Float32Array.of(1) } },
    "cannot keep state.callbacks.mine: it is a Float32Array",
  ],
  ["a date", [new Date(0)], "cannot keep state[0]: it is a Date"],
  ["a function", { f: () => 1 }, "state.f: it is of type function"],
  ["a bigint", [1n], "state[0]: it is of type bigint"],
  ["a hole in a list", [undefined], "state[0]: it is of type undefined"],
  ["something in itself", cyclic, "nests more than 64"],
])("refuses %s", (_what, state, message) => {
  expect(() => encodeState(state as Json)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
  );
});

test("refuses more text than is read", () => {
  expect(() => encodeState("a".repeat(2 ** 26))).toThrow("bytes; 67108864 are allowed");
});

test.each([
  ["no text", "", "no JSON text"],
  ["half a text", '{"a": [1', "no JSON text"],
  ["nested without end", "[".repeat(1e6), "nests more than"],
])("reads no state of %s", (_what, text, message) => {
  expect(() => decodeState(text)).toThrow(
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining(message) }),
  );
});
