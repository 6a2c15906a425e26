/** What the test assets' README says about the pixels of each model. */
import type { Preprocessing } from "../../src/transforms/preprocessing.ts";

const imagenet: Preprocessing = {
  version: 1,
  inputSize: [224, 224],
  resize: { kind: "shortest-edge", size: 256 },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1 / 255,
  offset: 0,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const tf: Preprocessing = { ...imagenet, scale: 1 / 127.5, offset: -1, mean: [0, 0, 0], std: [1, 1, 1] };

/** By file; undefined where the file carries no record. */
export const PREPROCESSING_RECORDS: Readonly<Record<string, Preprocessing | undefined>> = {
  "mobilenetv2_0.35_224/mobilenetv2_0.35_bn_backbone.onnx": { ...tf, resize: { kind: "center-square" } },
  "mobilenetv2_1.0_224/mobilenetv2_1.0_224.onnx": tf,
  "mobilenetv2_1.0_bn/mobilenetv2_1.0_bn_backbone.onnx": imagenet,
  "resnet20_cifar10/resnet20_cifar10.onnx": { ...imagenet, inputSize: [32, 32], resize: { kind: "stretch" } },
  "resnet50v2_c4/resnet50v2_c4_fp16.onnx": imagenet,
  "squeezenet1_1/squeezenet1_1.onnx": imagenet,
  "keras-h5/vww_96.reference.onnx": undefined,
  "detectors/yolox_nano/yolox_nano.onnx": undefined,
};
