import { expect, test } from "vitest";
import { jsonExcess } from "../../src/weights/json-scan.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("finds nothing wrong with a header", () => {
  expect(jsonExcess(bytes('{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'))).toBeUndefined();
});

test("counts brackets and commas outside of strings only", () => {
  const text = `{"${"[".repeat(100)}\\"${"[,".repeat(100)}":"\\\\"}`;
  expect(jsonExcess(bytes(text), { depth: 1, values: 1 })).toBeUndefined();
});

test.each([
  ["depth", "[".repeat(9), undefined, "nests more than 8 lists or objects"],
  ["depth within objects", '{"a":[{"b":[0]}]}', { depth: 3 }, "nests more than 3"],
  ["many values", "[1,2,3,4]", { values: 3 }, "has more than 3 values"],
  ["many empty objects", "[{},{},{}]", { values: 5 }, "has more than 5 values"],
])("refuses %s", (_what, text, limits, message) => {
  expect(jsonExcess(bytes(text), limits)).toContain(message);
});

test("stops at the end of a string that does not end", () => {
  expect(jsonExcess(bytes('["abc\\'))).toBeUndefined();
});
