/** The weights of Keras Applications (Keras 3.15): what `weights="imagenet"` loads, with and without the classifier. */
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import type { Checksum } from "../../weights/checksum.ts";
import { NAMED_PREPROCESSING } from "../preprocessing.ts";
import type { PublishedAccuracy, WeightsSource } from "./weights-source.ts";

const STORAGE = "https://storage.googleapis.com/tensorflow/keras-applications";
const PAGE = "https://keras.io/api/applications/";
const SOURCES = "https://github.com/keras-team/keras/blob/master/keras/src/applications";
const NETWORKS = {
  vgg16: { module: "vgg16", accuracy: accuracy(0.713, 0.901) },
  vgg19: { module: "vgg19", accuracy: accuracy(0.713, 0.9) },
  resnet50: { module: "resnet", accuracy: accuracy(0.749, 0.921) },
  mobilenet_v2: { module: "mobilenet_v2", accuracy: accuracy(0.713, 0.901) },
} as const;

/** Where each license is stated. */
const LICENSES = {
  "CC-BY-4.0": "https://github.com/fchollet/deep-learning-models#license",
  MIT: "https://github.com/fchollet/deep-learning-models#license",
  "Apache-2.0": "https://github.com/keras-team/keras/blob/2.2.4/docs/templates/applications.md#mobilenetv2",
} as const;

/** MobileNetV2's input is in [-1, 1]; the others read BGR without the mean of ImageNet, as Caffe did. */
const CAFFE: Preprocessing = stretched(NAMED_PREPROCESSING.caffe.values);
const TF: Preprocessing = stretched(NAMED_PREPROCESSING.tf.values);

interface Row {
  readonly model: keyof typeof NETWORKS;
  readonly architecture: string;
  /** Folder and name below Keras's storage; `_notop` files have no classifier. */
  readonly path: string;
  readonly hash: Checksum;
  readonly bytes: number;
  readonly parameters: number;
  readonly license: keyof typeof LICENSES;
  readonly preprocessing: Preprocessing;
}

/** MD5 sums are those in Keras's sources. For MobileNetV2 Keras gives none: its SHA-256 is pinned by several users of the file. */
const ROWS: readonly Row[] = [
  {
    ...{ model: "vgg16", architecture: "vgg16", license: "CC-BY-4.0", preprocessing: CAFFE },
    path: "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
    hash: { kind: "md5", value: "64373286793e3c8b2b4e3219cbf3544b" },
    bytes: 553_467_096,
    parameters: 138_357_544,
  },
  {
    ...{ model: "vgg16", architecture: "vgg16", license: "CC-BY-4.0", preprocessing: CAFFE },
    path: "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    hash: { kind: "md5", value: "6d6bbae143d832006294945121d1f1fc" },
    bytes: 58_889_256,
    parameters: 14_714_688,
  },
  {
    ...{ model: "vgg19", architecture: "vgg19", license: "CC-BY-4.0", preprocessing: CAFFE },
    path: "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
    hash: { kind: "md5", value: "cbe5617147190e668d6c5d5026f83318" },
    bytes: 574_710_816,
    parameters: 143_667_240,
  },
  {
    ...{ model: "vgg19", architecture: "vgg19", license: "CC-BY-4.0", preprocessing: CAFFE },
    path: "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    hash: { kind: "md5", value: "253f8cb515780f3b799900260a226db6" },
    bytes: 80_134_624,
    parameters: 20_024_384,
  },
  {
    ...{ model: "resnet50", architecture: "resnet50_keras", license: "MIT", preprocessing: CAFFE },
    path: "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    hash: { kind: "md5", value: "2cb95161c43110f7111970584f804107" },
    bytes: 102_967_424,
    parameters: 25_636_712,
  },
  {
    ...{ model: "resnet50", architecture: "resnet50_keras", license: "MIT", preprocessing: CAFFE },
    path: "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    hash: { kind: "md5", value: "4d473c1dd8becc155b73f8504c6f6626" },
    bytes: 94_765_736,
    parameters: 23_587_712,
  },
  {
    ...{ model: "mobilenet_v2", architecture: "mobilenet_v2_keras", license: "Apache-2.0", preprocessing: TF },
    path: "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    hash: { kind: "sha256", value: "3e195a2857356cfc092cbbb460beb2a5bce279015d7792598b8d3d9e451902e3" },
    bytes: 14_536_120,
    parameters: 3_538_984,
  },
];

export const KERAS: readonly WeightsSource[] = ROWS.map(({ model, path, license, ...facts }) => {
  const withoutTop = path.endsWith("_notop.h5");
  const { module, accuracy: measured } = NETWORKS[model];
  return {
    ...facts,
    name: `${model}.imagenet${withoutTop ? "_notop" : ""}`,
    model,
    publisher: "keras",
    aliases: model === "mobilenet_v2" ? ["mobilenetv2"] : [],
    isDefault: !withoutTop,
    task: withoutTop ? "features" : "classification",
    numClasses: withoutTop ? 0 : 1000,
    url: `${STORAGE}/${path}`,
    file: path.slice(path.indexOf("/") + 1),
    license,
    trainedOn: "ImageNet-1K",
    accuracy: withoutTop ? undefined : measured,
    references: [PAGE, `${SOURCES}/${module}.py`, LICENSES[license]],
  };
});

/** Keras's datasets of pictures are stretched to the input's size, bilinearly. */
function stretched(values: Omit<Preprocessing, "inputSize" | "resize">): Preprocessing {
  return { ...values, inputSize: [224, 224], resize: { kind: "stretch" } };
}

function accuracy(top1: number, top5: number): PublishedAccuracy {
  return { imageSize: 224, top1, top5, of: "network" };
}
