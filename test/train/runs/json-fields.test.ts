import { expect, test } from "vitest";
import type { Json } from "../../../src/json.ts";
import { amountOf, fieldOf, isFields, textOf } from "../../../src/train/runs/json-fields.ts";

const parse = (text: string): Json => JSON.parse(text) as Json;

test("finds what is there, of the type that is asked for", () => {
  const json = parse('{"a":{"b":"text","c":2,"d":-1},"e":[{"b":1}]}');
  expect(textOf(json, "a", "b")).toBe("text");
  expect(amountOf(json, "a", "c")).toBe(2);
  expect([textOf(json, "a", "c"), amountOf(json, "a", "b"), amountOf(json, "a", "d")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([fieldOf(json, "a", "x"), fieldOf(json, "x", "b"), fieldOf(json, "e", "0")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([null, 1, "a", []].map((value) => isFields(value))).toEqual([false, false, false, false]);
});

test("finds own fields alone, whatever their names", () => {
  const json = parse('{"__proto__":{"length":3}}');
  expect(amountOf(json, "__proto__", "length")).toBe(3);
  expect(fieldOf(json, "constructor")).toBeUndefined();
  expect(fieldOf(parse("{}"), "__proto__")).toBeUndefined();
});

test("cuts text that nobody can read", () => {
  const text = textOf({ a: "x".repeat(1e6) }, "a")!;
  expect([text.length, text.at(-1)]).toEqual([200, "…"]);
  expect(amountOf(parse('{"a":1e999}'), "a")).toBeUndefined();
});
