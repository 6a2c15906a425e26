import { expect, test } from "vitest";
import { stripPrefix } from "../../src/weights/prefix.ts";

test.each<[string, readonly string[], string, readonly string[]]>([
  ["one wrapper", ["module.conv1.weight", "module.fc.bias"], "module.", ["conv1.weight", "fc.bias"]],
  ["several wrappers", ["module.model.a", "module.model.b.c"], "module.model.", ["a", "b.c"]],
  ["a compiled model", ["_orig_mod.a", "_orig_mod.b"], "_orig_mod.", ["a", "b"]],
  ["nothing", ["conv1.weight", "fc.bias"], "", ["conv1.weight", "fc.bias"]],
  ["not what only some names have", ["module.a", "b"], "", ["module.a", "b"]],
  ["not what leaves an empty name", ["model.", "model.a"], "", ["model.", "model.a"]],
  ["nothing of no names", [], "", []],
  ["not a prefix that is part of a word", ["models.a", "models.b"], "", ["models.a", "models.b"]],
])("strips %s", (_what, names, prefix, stripped) => {
  expect(stripPrefix(names)).toEqual({ prefix, names: stripped });
});
