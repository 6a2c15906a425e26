import { expect, test } from "vitest";
import { parseKerasModel } from "../../../src/models/importers/keras-config.ts";
import { variablesIn } from "../../../src/models/importers/variables.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { memoryWeights } from "./memory.ts";

const layer = (name: string, className = "Conv2D") => ({ class_name: className, config: { name } });
const nested = (name: string, ...layers: object[]) => ({ class_name: "Sequential", config: { name, layers } });
const model = parseKerasModel(
  nested(
    "net",
    layer("conv"),
    nested("inner", layer("conv"), layer("conv/2")),
    nested("other", layer("conv")),
    layer("d", "Dense"),
  ),
  "file",
);
const [conv, inner, other, dense] = model.layers.slice(1);
const KERNEL = [{ names: ["kernel"] }];

function find(names: readonly string[], layers?: readonly { name: string; tensors: readonly string[] }[]) {
  const source = memoryWeights(Object.fromEntries(names.map((name) => [name, float32([1], [0])])));
  return variablesIn(layers ? { ...source, layers } : source, model);
}

test("by name, with the models around a layer where its name is not enough", () => {
  const at = find(["conv/kernel", "inner/conv/kernel", "other/conv/kernel", "inner/conv/2/kernel", "d/kernel"]);
  expect(at(conv!, KERNEL)).toEqual(["conv/kernel"]);
  expect(inner!.model!.layers.slice(1).map((one) => at(one, KERNEL)[0])).toEqual([
    "inner/conv/kernel",
    "inner/conv/2/kernel",
  ]);
  expect(at(other!.model!.layers[1]!, KERNEL)).toEqual(["other/conv/kernel"]);
  expect(at(dense!, [{ names: ["W", "kernel"] }, { names: ["bias"] }])).toEqual(["d/kernel", undefined]);
});

test("by the place in the file where names were numbered", () => {
  const at = find(["d/d_1/kernel", "d/d_1/bias"], [{ name: "d", tensors: ["d/d_1/kernel", "d/d_1/bias"] }]);
  expect(at(dense!, [{ names: ["kernel"] }, { names: ["bias"] }])).toEqual(["d/d_1/kernel", "d/d_1/bias"]);
  expect(at(dense!, KERNEL)).toEqual([undefined]);
});

test.each(["layers", "_layer_checkpoint_dependencies"])(
  "by the place in the model, in files of Keras 3 (%s)",
  (word) => {
    const places = [
      `${word}/conv2d/vars/0`,
      `${word}/sequential/${word}/conv2d/vars/0`,
      `${word}/sequential/${word}/conv2d_1/vars/0`,
      `${word}/sequential_1/${word}/conv2d/vars/0`,
      `${word}/dense/vars/0`,
    ];
    const at = find(places);
    const layers = [conv!, ...inner!.model!.layers.slice(1), other!.model!.layers[1]!, dense!];
    expect(layers.flatMap((one) => at(one, KERNEL))).toEqual(places);
  },
);

test("names that fit two layers alike are refused", () => {
  const at = find(["a/conv/kernel", "b/conv/kernel"]);
  expect(() => at(conv!, KERNEL)).toThrow(/"a\/conv\/kernel" and "b\/conv\/kernel": which of them/);
});
