import { expect, test } from "vitest";
import { initialize } from "../../../src/models/architectures/initializers.ts";
import { isTrainable, withWeights } from "../../../src/models/architectures/network.ts";
import { ARCHITECTURES } from "../../../src/models/architectures/table.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, zeros } from "../../../src/tensor/tensor.ts";
import { formulaImage, run } from "./golden.ts";

const network = ARCHITECTURES.resnet20_cifar10.build();
const weights = initialize(network.parameters, 3);

test("a graph with weights computes what the topology does with them as inputs, and copies nothing", async () => {
  const graph = withWeights(network, weights);
  expect(graph.inputs.map(({ name }) => name)).toEqual(["input"]);
  for (const { name } of network.parameters) expect(graph.initializers.get(name)).toBe(weights.get(name));
  await using session = await Session.create(graph);
  const image = formulaImage([32, 32], 3);
  const { logits } = await session.run({ input: image });
  expect(logits!.shape).toEqual([3, 10]);
  const fed = await run(network, weights, image);
  expect(Math.max(...fed.map((value, i) => Math.abs(value - Number(logits!.data[i]))))).toBeLessThan(1e-4);
  expect(Math.max(...fed)).toBeGreaterThan(0.01);
});

test("weights that the network does not know are left out", () => {
  const more = new Map([...weights, ["optimizer.step", zeros("float32", [1])]]);
  expect(withWeights(network, more).initializers.has("optimizer.step")).toBe(false);
});

test("all missing and mis-shaped weights are listed", () => {
  const some = new Map<string, ReturnType<typeof zeros>>(weights);
  some.delete("bn1.weight");
  some.set("linear.weight", float32([64, 10], new Float32Array(640)));
  some.set("conv1.weight", zeros("float16", [16, 3, 3, 3]));
  expect(() => withWeights(network, some)).toThrow(
    'resnet20_cifar10 requires 97 weights by name, but "conv1.weight" is float16 [16, 3, 3, 3] instead of float32 [16, 3, 3, 3], "bn1.weight" [16] is missing, "linear.weight" is float32 [64, 10] instead of float32 [10, 64].',
  );
});

test("running statistics do not train, everything else does", () => {
  const frozen = network.parameters.filter((spec) => !isTrainable(spec)).map(({ name }) => name);
  expect(frozen.length).toBe(38);
  expect(frozen.every((name) => /running_(mean|var)$/.test(name))).toBe(true);
});

test("building allocates no weights", () => {
  const { topology } = ARCHITECTURES.vgg19.build();
  const constants = [...topology.initializers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  expect(constants).toBeLessThan(10_000);
});
