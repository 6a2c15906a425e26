import { expect, test } from "vitest";
import type { Json } from "../../../src/json.ts";
import { flatten } from "../../../src/train/runs/flatten.ts";

const flat = (json: Json | undefined, prefix?: string): unknown => Object.fromEntries(flatten(json, prefix));

test("objects and lists of objects become dotted paths, lists of values stay one", () => {
  expect(flat({ a: { b: 1, c: "x" }, d: [1, "y", null], e: [{ f: true }, { f: null }], g: [] })).toEqual({
    "a.b": 1,
    "a.c": "x",
    d: '[1,"y",null]',
    "e.0.f": true,
    "e.1.f": null,
    g: "[]",
  });
  expect(flat({ a: 1 }, "before")).toEqual({ "before.a": 1 });
  expect(flat(3, "split")).toEqual({ split: 3 });
  expect(flat(undefined)).toEqual({});
});

test("what nobody would configure stays within limits", () => {
  const wide = flatten(Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`k${i}`, i])));
  expect(wide.size).toBe(2000);
  let deep: Json = 1;
  for (let i = 0; i < 60; i++) deep = { a: deep };
  expect([...flatten(deep)]).toEqual([["a.a.a.a.a.a.a.a.a.a.a.a", "…"]]);
  const long = flatten({ ["k".repeat(1e5)]: "v".repeat(1e5), list: Array.from({ length: 1e5 }, () => 1) });
  for (const [path, value] of long) expect(path.length + String(value).length).toBeLessThan(500);
});

test("names that objects have anyway are names", () => {
  const json = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Json;
  expect([...flatten(json)]).toEqual([
    ["__proto__.a", 1],
    ["constructor", 2],
  ]);
});
