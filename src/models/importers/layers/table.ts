/** All layers that can be imported, by Keras' class. */
import type { KerasLayer } from "../keras-config.ts";
import type { LayerRule } from "../layer-rule.ts";
import * as activation from "./activation.ts";
import * as convolution from "./convolution.ts";
import { operationRule, tensorflowFunction } from "./functions.ts";
import * as merging from "./merging.ts";
import * as movement from "./movement.ts";
import * as normalization from "./normalization.ts";
import { passing } from "./passing.ts";
import * as pooling from "./pooling.ts";

/** Rules by class. */
export const LAYER_RULES = {
  // Weights.
  Conv2D: convolution.conv2d,
  Conv2DTranspose: convolution.conv2dTranspose,
  Dense: convolution.dense,
  DepthwiseConv2D: convolution.depthwiseConv2d,
  SeparableConv2D: convolution.separableConv2d,
  // Normalization.
  BatchNormalization: normalization.batchNormalization,
  LayerNormalization: normalization.layerNormalization,
  LayerScale: normalization.layerScale,
  Normalization: normalization.normalization,
  Rescaling: normalization.rescaling,
  // Activations.
  Activation: activation.activationLayer,
  ELU: activation.eluLayer,
  LeakyReLU: activation.leakyReLu,
  PReLU: activation.pReLu,
  ReLU: activation.reLu,
  Softmax: activation.softmaxLayer,
  ThresholdedReLU: activation.thresholdedReLu,
  // Pooling.
  AveragePooling2D: pooling.averagePooling2d,
  GlobalAveragePooling2D: pooling.globalAveragePooling2d,
  GlobalMaxPooling2D: pooling.globalMaxPooling2d,
  MaxPooling2D: pooling.maxPooling2d,
  // Several inputs.
  Add: merging.addLayer,
  Average: merging.averageLayer,
  Concatenate: merging.concatenate,
  Maximum: merging.maximumLayer,
  Minimum: merging.minimumLayer,
  Multiply: merging.multiplyLayer,
  Subtract: merging.subtractLayer,
  // Movement.
  Cropping2D: movement.cropping2d,
  Flatten: movement.flatten,
  Permute: movement.permute,
  Reshape: movement.reshape,
  Resizing: movement.resizing,
  UpSampling2D: movement.upSampling2d,
  ZeroPadding2D: movement.zeroPadding2d,
  // Functions.
  SlicingOpLambda: tensorflowFunction,
  TFOpLambda: tensorflowFunction,
  // Nothing at prediction time.
  ActivityRegularization: passing,
  AlphaDropout: passing,
  Dropout: passing,
  GaussianDropout: passing,
  GaussianNoise: passing,
  Identity: passing,
  RandomBrightness: passing,
  RandomContrast: passing,
  RandomFlip: passing,
  RandomRotation: passing,
  RandomTranslation: passing,
  RandomZoom: passing,
  SpatialDropout2D: passing,
  StochasticDepth: passing,
} as const satisfies Record<string, LayerRule>;

/** Names that Keras gives a class besides its own. */
const ALIASES: Readonly<Record<string, keyof typeof LAYER_RULES>> = {
  AvgPool2D: "AveragePooling2D",
  BatchNormalizationV1: "BatchNormalization",
  BatchNormalizationV2: "BatchNormalization",
  Convolution2D: "Conv2D",
  Convolution2DTranspose: "Conv2DTranspose",
  GlobalAvgPool2D: "GlobalAveragePooling2D",
  GlobalMaxPool2D: "GlobalMaxPooling2D",
  MaxPool2D: "MaxPooling2D",
  SeparableConvolution2D: "SeparableConv2D",
  SyncBatchNormalization: "BatchNormalization",
};

/** The rule of a layer, or why there is none. */
export function ruleOf({ className, module, calls }: KerasLayer): LayerRule | string {
  const own = ownRule(className);
  // Classes of keras.ops have names that layers have too. Where the file does not say, arguments tell: layers take none.
  const hasNumbers = calls.some(({ args }) => args.some(({ kind }) => kind === "constant"));
  const isFunction = module === undefined ? !own || hasNumbers : /^keras(\.src)?\.ops\b/.test(module);
  const rule = isFunction ? (operationRule(className) ?? (module === undefined ? own : undefined)) : own;
  if (rule) return rule;
  if (className === "Lambda") return "holds Python code, which is never run";
  return className.includes(">") ? "is a class of its own, which only Python code knows" : "is not supported";
}

function ownRule(className: string): LayerRule | undefined {
  if (Object.hasOwn(LAYER_RULES, className)) return LAYER_RULES[className as keyof typeof LAYER_RULES]; // a key
  return Object.hasOwn(ALIASES, className) ? LAYER_RULES[ALIASES[className]!] : undefined;
}
