import { expect, test } from "vitest";
import { convnext } from "../../../src/models/architectures/convnext.ts";
import { efficientnet } from "../../../src/models/architectures/efficientnet.ts";
import { resnet } from "../../../src/models/architectures/resnet.ts";
import { timmNames } from "../../../src/models/architectures/timm-names.ts";
import { expectSameTensors, formulaImage, formulaValue, goldenModels, run } from "./golden.ts";

const golden = goldenModels("timm-names");
const DESIGNS = {
  efficientnet_b0: efficientnet("efficientnet_b0"),
  efficientnet_b1: efficientnet("efficientnet_b1"),
  convnext_tiny: convnext("convnext_tiny"),
};

test("every design has a golden record", () => {
  expect(Object.keys(golden)).toEqual(Object.keys(DESIGNS));
});

test.each(Object.values(DESIGNS))("$name takes timm's weights by name and gives its scores", async (design) => {
  const { name } = design;
  const network = design.build();
  const names = timmNames(network)!;
  // timm's scales of ConvNeXt are [c], those here [c, 1, 1]
  const theirs = network.parameters.map((spec) => ({
    ...spec,
    name: names.get(spec.name)!,
    shape: spec.name.endsWith("layer_scale") ? spec.shape.slice(0, 1) : spec.shape,
  }));
  expectSameTensors({ ...network, parameters: theirs }, golden[name]!);
  const { gain, outputs } = golden[name]!;
  const weights = new Map(
    network.parameters.map((spec, i) => {
      const value = formulaValue(theirs[i]!.name, theirs[i]!.shape, gain);
      return [spec.name, { ...value, shape: spec.shape }];
    }),
  );
  for (const { size, norm, logits } of outputs) {
    const scores = await run(design.build({ inputSize: size }), weights, formulaImage(size));
    const errors = logits.map((value, i) => Math.abs(value - scores[Math.floor((i * scores.length) / logits.length)]!));
    expect(Math.max(...errors) / (norm / Math.sqrt(scores.length))).toBeLessThan(1e-4);
  }
});

test("there are none where timm's network is another, or has the same names", () => {
  expect(timmNames(efficientnet("efficientnet_v2_s").build())).toBeUndefined();
  expect(timmNames(resnet("resnet18").build())).toBeUndefined();
});
