import { expect, test } from "vitest";
import { groupNormal, uniformOut } from "../../../src/models/architectures/mobile-initializers.ts";
import { mobilenetV3 } from "../../../src/models/architectures/mobilenet-v3.ts";

test("weights start by the outputs of one group alone", () => {
  const fan = { in: 9, out: 9 * 32 };
  expect(groupNormal(32)(fan)).toEqual({ kind: "normal", deviation: Math.sqrt(2 / 9) });
  expect(groupNormal(1)(fan)).toEqual({ kind: "normal", deviation: Math.sqrt(2 / 288) });
  expect(uniformOut({ in: 64, out: 100 })).toEqual({ kind: "uniform", bound: 0.1 });
});

// timm 1.0.31's efficientnet_init_weights: depthwise weights [16, 1, 3, 3], others by all of their outputs.
test("the MobileNetV3 of timm starts as timm's", () => {
  const { parameters } = mobilenetV3("mobilenetv3_small_100").build();
  const init = new Map(parameters.map((spec) => [spec.name, spec.init]));
  expect(init.get("conv_stem.weight")).toEqual({ kind: "normal", deviation: Math.sqrt(2 / (16 * 9)) });
  expect(init.get("blocks.0.0.conv_dw.weight")).toEqual({ kind: "normal", deviation: Math.sqrt(2 / 9) });
  expect(init.get("blocks.2.0.conv_pwl.weight")).toEqual({ kind: "normal", deviation: Math.sqrt(2 / 40) });
  expect(init.get("classifier.weight")).toEqual({ kind: "uniform", bound: 1 / Math.sqrt(1000) });
  expect(init.get("conv_head.bias")).toEqual({ kind: "constant", value: 0 });
});
