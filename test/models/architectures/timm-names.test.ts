import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Architecture } from "../../../src/models/architectures/architecture.ts";
import { efficientnet } from "../../../src/models/architectures/efficientnet.ts";
import type { Network } from "../../../src/models/architectures/network.ts";
import { resnet } from "../../../src/models/architectures/resnet.ts";
import { ARCHITECTURES } from "../../../src/models/architectures/table.ts";
import { timmNames } from "../../../src/models/architectures/timm-names.ts";
import { TIMM } from "../../../src/models/catalog/timm.ts";
import { identifyArchitecture } from "../../../src/models/identify-architecture.ts";
import { loadWeights } from "../../../src/models/load-weights.ts";
import { sizeOf, type Tensor } from "../../../src/tensor/tensor.ts";
import { type TensorSource, tensorSource } from "../../../src/weights/tensor-source.ts";
import { expectSameScores, formulaValue, goldenModels } from "./golden.ts";
import { expectSameEpsilons } from "./modern.ts";

/** timm's names of a network's parameters: its own where timm has the same. */
function namesOf(network: Network): (name: string) => string {
  const names = timmNames(network);
  return (name) => names?.get(name) ?? name;
}

/** A file with timm's names, in timm's shapes and filled by formula. */
function timmFile(network: Network, gain: number): TensorSource {
  const nameOf = namesOf(network);
  const tensors = network.parameters.map((spec): [string, Tensor] => {
    const shape = spec.name.endsWith("layer_scale") ? spec.shape.slice(0, 1) : spec.shape; // of ConvNeXt: not [c, 1, 1]
    return [nameOf(spec.name), formulaValue(nameOf(spec.name), shape, gain)];
  });
  const entries = tensors.map(
    ([name, t]) => [name, { dtype: t.dtype, shape: t.shape, bytes: t.data.byteLength, read: (): Tensor => t }] as const,
  );
  return tensorSource({ format: "safetensors", origin: "timm.safetensors", entries: new Map(entries), close() {} });
}

describe("weights with timm's names give timm's scores", () => {
  const golden = goldenModels("timm-names");
  const designs: Readonly<Record<string, Architecture>> = {
    efficientnet_b0: ARCHITECTURES.efficientnet_b0,
    efficientnet_b1: ARCHITECTURES.efficientnet_b1,
    convnext_tiny: ARCHITECTURES.convnext_tiny,
    mobilenetv2_100: ARCHITECTURES.mobilenet_v2,
    swin_tiny_patch4_window7_224: ARCHITECTURES.swin_t,
  };

  test("for every design there is a golden record", () => {
    expect(Object.keys(golden)).toEqual(Object.keys(designs));
  });

  test.each(Object.entries(designs))("%s", async (name, design) => {
    const { gain } = golden[name]!;
    const source = timmFile(design.build(), gain);
    expect(identifyArchitecture(source)).toBe(design);
    const { network, graph, notes } = loadWeights(design, source);
    expect(notes).toEqual([]);
    const loaded = network.parameters.map((spec) => [spec.name, graph.initializers.get(spec.name)!] as const);
    await expectSameScores(design, golden[name]!, new Map(loaded));
  });
});

describe("every model of the catalog has timm's names, shapes and epsilons", () => {
  const golden = goldenModels("timm-catalog");
  const designs = new Map(TIMM.map(({ model, architecture }) => [model, architecture]));

  test("for every one there is a golden record", () => {
    expect(Object.keys(golden)).toEqual([...designs.keys()]);
  });

  test.each([...designs])("%s", (model, architecture) => {
    const network = ARCHITECTURES[architecture as keyof typeof ARCHITECTURES].build(); // of a record of the catalog
    const { tensors, elements, sha256 } = golden[model]!;
    expect(network.parameters.length).toBe(tensors);
    expect(network.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(elements);
    expect(hashOf(network)).toBe(sha256);
    expectSameEpsilons(network, golden[model]!);
  });
});

/** `names` in make_modern.py: within a shape, which alone decides the order of the lines, the state dict's order. */
function hashOf(network: Network): string {
  const nameOf = namesOf(network);
  const lines = network.parameters.map(
    ({ name, shape }) => [shape.filter((size) => size !== 1), nameOf(name)] as const,
  );
  const sorted = lines.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0));
  return createHash("sha256")
    .update(sorted.map(([shape, name]) => `${shape} ${name}\n`).join(""))
    .digest("hex");
}

test("there are none where timm's network is another, or has the same names", () => {
  expect(timmNames(efficientnet("efficientnet_v2_s").build())).toBeUndefined();
  expect(timmNames(resnet("resnet18").build())).toBeUndefined();
});
