import { expect, test } from "vitest";
import { INPUT, LOGITS } from "../../../src/models/architectures/network.ts";
import { fitPositions } from "../../../src/models/architectures/position-embedding.ts";
import { VIT_CONFIGS, vit } from "../../../src/models/architectures/vit.ts";
import { expectKnownStages } from "./checks.ts";
import { expectSameTensors, formulaImage, formulaWeights, goldenModels, run } from "./golden.ts";
import { expectSameEpsilons, expectTrainable } from "./modern.ts";

const golden = goldenModels("vit");
const NAMES = Object.keys(VIT_CONFIGS) as (keyof typeof VIT_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden)).toEqual(NAMES);
});

test.each(NAMES)("%s has the tensors of its source and gives its scores, with positions resampled", async (name) => {
  const [design, { gain, outputs }] = [vit(name), golden[name]!];
  expectSameTensors(design.build(), golden[name]!);
  expectSameEpsilons(design.build(), golden[name]!);
  const published = formulaWeights(design.build(), gain);
  for (const { size, norm, logits } of outputs) {
    const network = design.build({ inputSize: size });
    const weights = new Map([...published].map(([key, value]) => [key, fitPositions(network, key, value) ?? value]));
    const scores = await run(network, weights, formulaImage(size));
    const errors = logits.map((value, i) => Math.abs(value - scores[Math.floor((i * scores.length) / logits.length)]!));
    expect(Math.max(...errors) / (norm / Math.sqrt(scores.length)), `${name} at ${size}`).toBeLessThan(1e-4);
    expect(Math.abs(Math.hypot(...scores) / norm - 1), `${name} at ${size}`).toBeLessThan(1e-4);
  }
});

test("gradients reach every trainable parameter", async () => {
  await expectTrainable(vit("vit_tiny_patch16_224"), [32, 48]);
});

test("gradients reach the scales of DINOv2's branches", async () => {
  await expectTrainable(vit("vit_small_patch14_dinov2"), [28, 28]);
});

test("several images at once give the scores of each", async () => {
  const design = vit("vit_tiny_patch16_224");
  const network = design.build({ inputSize: [32, 48], numClasses: 7 });
  const weights = formulaWeights(network, 1);
  const both = await run(network, weights, formulaImage([32, 48], 2));
  const first = await run(network, weights, formulaImage([32, 48]));
  expect(both.length).toBe(14);
  for (const [i, value] of first.entries()) expect(both[i]).toBeCloseTo(value, 3);
  expect(Math.abs(both[7]! - both[0]!)).toBeGreaterThan(0.01);
});

test("stages, features and classifier are named, and sizes are multiples of the patch", () => {
  const network = vit("vit_b_16").build({ inputSize: [64, 32] });
  expect(network.stages.map(({ name }) => name)).toEqual([
    "stem",
    ...Array.from({ length: 12 }, (_, i) => `block${i + 1}`),
    "norm",
  ]);
  expect(network.stages[0]).toMatchObject({
    shape: [9, 768],
    parameters: ["class_token", "conv_proj.weight", "conv_proj.bias", "encoder.pos_embedding"],
  });
  expect(network).toMatchObject({ stem: "conv_proj.weight", featureWidth: 768 });
  expect(network.classifier).toEqual({ weight: "heads.head.weight", bias: "heads.head.bias" });
  expect(network.topology.inputs[0]!.name).toBe(INPUT);
  expect(network.topology.outputs.map(({ name }) => name)).toEqual([LOGITS]);
  expect(() => vit("vit_b_16").build({ inputSize: [224, 220] })).toThrow(/multiples of 16, got 224 x 220/);
  expect(() => vit("vit_small_patch14_dinov2").build({ inputSize: [224, 225] })).toThrow(/multiples of 14/);
});

test("analysis finds the same cut, parameters and stages", () => {
  expectKnownStages(vit("vit_tiny_patch16_224"), [64, 64]);
});
