import { expect, test } from "vitest";
import { z } from "zod";
import { memorySource } from "../../src/weights/byte-source.ts";
import { checkJson, MAX_JSON_BYTES, parseJson, readJson } from "../../src/weights/json-text.ts";

test("reads JSON, and refuses other text with the reason", () => {
  expect(readJson(memorySource("a.json", new TextEncoder().encode('{"a": ["ü"]}')))).toEqual({ a: ["ü"] });
  expect(() => parseJson("{", "a.json")).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
});

test("does not read more than the limit", () => {
  const source = { ...memorySource("a.json", new Uint8Array()), size: MAX_JSON_BYTES + 1 };
  expect(() => readJson(source)).toThrow(/a\.json requires at most/);
});

test.each([
  ["nesting", `{"weight_map":${"[".repeat(2 ** 20)}`, /a\.json nests more than 64 lists or objects, which no/],
  ["many lists", `[${"[],".repeat(2 ** 20)}[]]`, /a\.json has more than 1048576 values, which no/],
])("refuses %s before it is parsed", (_what, text, message) => {
  const refused = expect.objectContaining({ code: "BAD_MODEL", message: expect.stringMatching(message) });
  expect(() => readJson(memorySource("a.json", new TextEncoder().encode(text)))).toThrow(refused);
  expect(() => parseJson(text, "a.json")).toThrow(refused);
});

test("names the fields that do not fit", () => {
  const schema = z.object({ a: z.object({ b: z.int() }), c: z.string() });
  expect(checkJson(schema, { a: { b: 1 }, c: "x" }, "file")).toEqual({ a: { b: 1 }, c: "x" });
  expect(() => checkJson(schema, { a: { b: 0.5 }, c: 1 }, "file")).toThrow(/file cannot be used: a\.b: .*, c: /);
});
