import { expect, test } from "vitest";
import { parseKerasModel } from "../../../src/models/importers/keras-config.ts";
import { planOf } from "../../../src/models/importers/plan.ts";

/** A Functional model of layers that read others: "name < a b, c" is called with [a, b] and then with [c]. */
function model(lines: readonly string[], output: string) {
  const ref = (text: string): [string, number, number] => [text.split("/")[0]!, Number(text.split("/")[1] ?? 0), 0];
  const layers = lines.map((line) => {
    const [name, reads = ""] = line.split(" < ");
    const calls =
      reads === "" ? [] : reads.split(", ").map((call) => call.split(" ").map((text) => [...ref(text), {}]));
    return { class_name: calls.length === 0 ? "InputLayer" : "Add", name, config: {}, inbound_nodes: calls };
  });
  const config = { name: "m", layers, input_layers: [ref("in")], output_layers: [ref(output)] };
  return parseKerasModel({ class_name: "Functional", config }, "file");
}

const order = (lines: readonly string[], output: string) =>
  planOf(model(lines, output), "file").calls.map(({ layer }) => layer.name);

test("each call comes after those that it reads, in any order of the list, and only what is needed", () => {
  expect(order(["c < b a", "unused < a", "b < a", "a < in", "in"], "c")).toEqual(["in", "a", "b", "c"]);
});

test("a shared layer is called as often as its outputs are read", () => {
  expect(order(["in", "s < in, t", "t < s", "u < s s/1"], "u")).toEqual(["in", "s", "t", "s", "u"]);
  expect(order(["in", "s < in, t", "t < s"], "s")).toEqual(["in", "s"]);
});

test("ten thousand layers in the worst order are no problem", () => {
  const lines = Array.from({ length: 9_999 }, (_, i) => `l${i} < ${i === 9_998 ? "in" : `l${i + 1}`}`);
  expect(order([...lines, "in"], "l0")).toHaveLength(10_000);
});

test.each([
  ["a cycle", ["in", "a < b", "b < a"], "a", /reads its own output/],
  ["a layer that reads itself", ["in", "a < a"], "a", /reads its own output/],
  ["a longer cycle", ["in", "a < in c", "b < a", "c < b"], "b", /reads its own output/],
  ["a layer that is missing", ["in", "a < gone"], "a", /"gone" is read and not in the list/],
  ["a call that is missing", ["in", "a < in", "b < a/3"], "b", /call 3 of "a" is read, and there are 1/],
  ["an output that is missing", ["in"], "gone", /"gone" is read/],
  ["a name twice", ["in", "a < in", "a < in"], "a", /two layers of "m" have one name/],
])("%s is refused", (_what, lines, output, message) => {
  expect(() => order(lines, output)).toThrow(
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringMatching(message) }),
  );
});
