import { describe, expect, test } from "vitest";
import { parseCalls, parseRefs, tensorsOf } from "../../../src/models/importers/keras-calls.ts";
import { batchShapeOf, parseKerasModel } from "../../../src/models/importers/keras-config.ts";

describe("calls", () => {
  const ref = (layer: string, node = 0) => ({ layer, node, tensor: 0 });

  test("of Keras 2: lists of tensors, functions by themselves, numbers first", () => {
    const calls = parseCalls(
      [
        [["a", 0, 0, {}]],
        [
          ["a", 0, 0],
          ["b", 1, 0, {}],
        ],
        ["a", 0, 0, { y: ["b", 0, 0], name: null }],
        ["_CONSTANT_VALUE", -1, 2.5, { y: ["a", 0, 0] }],
      ],
      "x",
    );
    expect(calls.map(tensorsOf)).toEqual([[ref("a")], [ref("a"), ref("b", 1)], [ref("a"), ref("b")], [ref("a")]]);
    expect(calls[3]!.args).toEqual([{ kind: "constant", value: 2.5 }]);
    expect(calls[2]!.kwargs.get("name")).toEqual({ kind: "constant", value: null });
  });

  test("of Keras 3: arguments with tensors in them", () => {
    const tensor = (layer: string) => ({ class_name: "__keras_tensor__", config: { keras_history: [layer, 0, 0] } });
    const [call] = parseCalls(
      [{ args: [[tensor("a"), tensor("b")], 0.5], kwargs: { mask: null, y: tensor("c") } }],
      "x",
    );
    expect(tensorsOf(call!)).toEqual([ref("a"), ref("b"), ref("c")]);
    expect(call!.args[1]).toEqual({ kind: "constant", value: 0.5 });
  });

  test.each([
    [["a"]],
    [[[["a", -1, 0]]]],
    [[[["a", 0.5, 0]]]],
    [[7]],
    [[{ args: [{ class_name: "__keras_tensor__" }] }]],
  ])("%j is refused", (json) => {
    expect(() => parseCalls(json as readonly unknown[], "x")).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("references to inputs and outputs come alone, in lists and in records", () => {
    for (const json of [["a", 0, 0], [["a", 0, 0]], { out: ["a", 0, 0] }, [[["a", 0, 0]]]])
      expect(parseRefs(json, "x")).toEqual([ref("a")]);
    for (const json of [undefined, [], {}, "a", [[]], ["a", 0]]) expect(() => parseRefs(json, "x")).toThrow();
  });
});

describe("models", () => {
  const relu = { class_name: "ReLU", config: { name: "r", batch_input_shape: [null, 2, 2, 3] } };

  test("a Sequential model becomes a chain behind an input, also as a plain list", () => {
    for (const config of [[relu], { name: "s", layers: [relu] }]) {
      const { layers, inputs, outputs } = parseKerasModel({ class_name: "Sequential", config }, "x");
      expect(layers.map(({ name }) => name)).toEqual(["r_input", "r"]);
      expect(inputs[0]).toEqual({ layer: "r_input", node: 0, tensor: 0 });
      expect(outputs[0]).toEqual({ layer: "r", node: 0, tensor: 0 });
      expect(batchShapeOf(layers[0]!)).toEqual([null, 2, 2, 3]);
    }
  });

  test("the shape of the input is found within models within", () => {
    const inner = { class_name: "Sequential", config: { name: "i", layers: [relu] } };
    const { layers } = parseKerasModel({ model_config: { class_name: "Sequential", config: [inner] } }, "x");
    expect(batchShapeOf(layers[0]!)).toEqual([null, 2, 2, 3]);
  });

  test.each([
    [null],
    [{}],
    [{ class_name: "Sequential", config: { layers: [] } }],
    [{ class_name: "Sequential", config: { layers: [{ config: {} }] } }],
    [{ class_name: "Functional", config: { layers: [relu] } }],
  ])("%j is refused", (json) => {
    expect(() => parseKerasModel(json, "x")).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("models within models are followed to a limit", () => {
    let json: object = relu;
    for (let i = 0; i < 40; i++) json = { class_name: "Sequential", config: { name: `m${i}`, layers: [json] } };
    expect(() => parseKerasModel(json, "x")).toThrow(/models within models/);
  });
});
