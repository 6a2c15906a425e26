import { describe, expect, test } from "vitest";
import { FEATURES } from "../../src/models/backbone.ts";
import { unfreeze } from "../../src/models/unfreeze.ts";
import { Layers, residualNetwork } from "./networks.ts";

const network = residualNetwork();
const counts = (spec: string): unknown[] => {
  const { start, startShape, parameters } = unfreeze(network, spec);
  return [start, startShape.slice(1), parameters.length];
};

function refusal(spec: string, graph = network): string {
  try {
    unfreeze(graph, spec);
  } catch (error) {
    expect(error).toMatchObject({ name: "RootstockError", code: "BAD_CONFIG" });
    return (error as Error).message;
  }
  throw new Error("was accepted");
}

describe("unfreeze", () => {
  test.each([
    ["head", [FEATURES, [16], 0]],
    ["last", ["layer1.1.out", [8, 8, 8], 15]],
    ["last:1", ["layer1.1.out", [8, 8, 8], 15]],
    ["last:2", ["pool", [8, 8, 8], 27]],
    ["last:3", ["image", [3, 16, 16], 30]],
    ["all", ["image", [3, 16, 16], 30]],
    ["layer2.*", ["layer1.1.out", [8, 8, 8], 15]],
    ["layer2.1.*", ["layer2.0.out", [16, 4, 4], 6]],
    ["layer2.?.conv1.weight", ["layer1.1.out", [8, 8, 8], 2]],
    ["layer[12].1.bn2.bias", ["layer1.0.out", [8, 8, 8], 2]],
    ["layer[!1].1.bn2.bias", ["layer2.0.out", [16, 4, 4], 1]],
    ["layer2.1.bn*, layer1.1.bn[1-2].weight", ["layer1.0.out", [8, 8, 8], 6]],
    ["*.bias", ["conv1", [8, 16, 16], 10]],
    ["conv1.weight", ["image", [3, 16, 16], 1]],
  ])("%s", (spec, wanted) => {
    expect(counts(spec)).toEqual(wanted);
  });

  test("trains only what a pattern matches", () => {
    expect(unfreeze(network, "layer2.1.bn2.*").parameters).toEqual(["layer2.1.bn2.weight", "layer2.1.bn2.bias"]);
  });

  test("takes the characters of names as they are", () => {
    expect(refusal("layer2x1xconv1xweight")).toContain("no parameter has such a name");
    const l = new Layers();
    const graph = l.end(l.relu(l.conv("image", "a(b)+/c", [3, 4])), 4);
    expect(unfreeze(graph, "a(b)+/*").parameters).toEqual(["a(b)+/c.weight"]);
  });

  test("says which names there are when a pattern matches none", () => {
    expect(refusal("layr2.1.conv2.weight")).toBe(
      "--unfreeze layr2.1.conv2.weight: no parameter has such a name; required is head, last, last:N, all, or a pattern of " +
        "parameter names such as layer4.*. Closest names: layer2.1.conv2.weight, layer1.1.conv2.weight, layer2.0.conv2.weight, " +
        "layer2.1.conv1.weight, layer1.0.conv2.weight and 11 more. It has 30 parameters in 3 stages.",
    );
    expect(refusal("everything")).toContain(
      "Names in this file are, for example: conv1.weight, layer1.0.conv2.weight, layer1.1.conv2.weight, layer2.0.conv2.weight, layer2.1.conv1.weight.",
    );
    expect(refusal("")).toContain("no parameter has such a name");
  });

  test.each(["last:0", "last:4", "last:x", "last:", "last:1.5", "last:-1"])(
    "refuses %s with the stages there are",
    (spec) => {
      const message = refusal(spec);
      expect(message).toContain(`--unfreeze ${spec}: required is last:N with N from 1 to 3, the number of stages:`);
      expect(message).toContain("stage 3 of 3: 8x8x8 -> 4x4x16");
    },
  );

  test("refuses a set of characters that is none", () => {
    expect(refusal("layer[9-1].*")).toBe("--unfreeze layer[9-1].*: [..] requires characters or ranges such as [0-9].");
  });

  test("has nothing to train where there are no parameters", () => {
    const l = new Layers();
    const graph = l.end(l.relu("image"), 3);
    for (const spec of ["last", "all", "a*"])
      expect(refusal(spec, graph)).toContain("has no parameters that could be trained. Use --unfreeze head.");
    expect(unfreeze(graph, "head").parameters).toEqual([]);
  });
});
