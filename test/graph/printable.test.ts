import { expect, test } from "vitest";
import { describeNode, formatShape } from "../../src/graph/graph.ts";
import { printable } from "../../src/graph/printable.ts";

test("control characters, line ends and marks of direction are written out, everything else stays", () => {
  expect(printable("a\u001b[2J\r\nb\u0000\u007f\u009b31m")).toBe("a\\u{1b}[2J\\u{d}\\u{a}b\\u{0}\\u{7f}\\u{9b}31m");
  expect(printable("\u202egnp.exe\u2066\u200f\u2028\ufeff\u{e0041}")).toBe(
    "\\u{202e}gnp.exe\\u{2066}\\u{200f}\\u{2028}\\u{feff}\\u{e0041}",
  );
  const family = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}";
  expect(printable(`${family} Ünïcode 猫 /layer.1/Conv_2:0`)).toBe(`${family} Ünïcode 猫 /layer.1/Conv_2:0`);
});

test("nodes and shapes in messages are written so", () => {
  const node = { op: "Relu\n", domain: "a\u001b", name: "x\u202e", inputs: [], outputs: ["y"], attributes: {} };
  expect(describeNode(node)).toBe('a\\u{1b}.Relu\\u{a} "x\\u{202e}"');
  expect(formatShape(["n\n", 3])).toBe("[n\\u{a}, 3]");
});
