import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type DecodedModel, decodeModel } from "../../src/onnx/decode.ts";
import { encodeModel, joinChunks } from "../../src/onnx/encode.ts";
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { protoOfTensor } from "../../src/onnx/tensor-proto.ts";
import { float32, int64 } from "../../src/tensor/tensor.ts";

const weights = float32([3], [1, 2, 3]);

function model(): DecodedModel {
  const graph = create(GraphProtoSchema, {
    name: "g",
    node: [create(NodeProtoSchema, { opType: "Add", input: ["x", "w"], output: ["y"] })],
    initializer: [
      protoOfTensor("w", weights),
      protoOfTensor("empty", float32([0], [])),
      protoOfTensor("axes", int64([1])),
    ],
  });
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: "test",
    opsetImport: [{ domain: "", version: 18n }],
    graph,
  });
  return { ...proto, graph };
}

describe("encoding", () => {
  test("gives a file that any protobuf reader reads as the same model", () => {
    const bytes = joinChunks(encodeModel(model()));
    expect(fromBinary(ModelProtoSchema, bytes)).toEqual(
      fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, model())),
    );
  });

  test("decodes to the same model", () => {
    const bytes = joinChunks(encodeModel(model()));
    const decoded = decodeModel(bytes, "model.onnx");
    expect(decoded.graph.initializer.map(({ name }) => name)).toEqual(["w", "empty", "axes"]);
    expect(joinChunks(encodeModel(decoded))).toEqual(bytes);
  });

  test("hands out the weights themselves", () => {
    const views = encodeModel(model()).filter(({ buffer }) => buffer === weights.data.buffer);
    expect(views.map(({ byteOffset, byteLength }) => [byteOffset, byteLength])).toEqual([[0, 12]]);
  });

  test("keeps fields that this package does not know", () => {
    // Field 20 of ModelProto (training_info), holding the bytes "hi".
    const unknown = Uint8Array.of(0xa2, 0x01, 2, 0x68, 0x69);
    const bytes = joinChunks([toBinary(ModelProtoSchema, model()), unknown]);
    const again = joinChunks(encodeModel(decodeModel(bytes, "model.onnx")));
    expect(Buffer.from(again).includes(Buffer.from(unknown))).toBe(true);
  });
});

test("joining copies chunks in order", () => {
  expect(joinChunks([Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)])).toEqual(Uint8Array.of(1, 2, 3));
});
