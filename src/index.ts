/** The public API. */

export { redrawSplits } from "./data/assign-splits.ts";
export type { TargetMode, Targets as BatchTargets } from "./data/batch-targets.ts";
export {
  type Batch,
  type DataLoader,
  type DataLoaderOptions,
  dataLoader,
  type LoaderPosition,
} from "./data/batches.ts";
export { type CheckOptions, checkDataset } from "./data/check/check-dataset.ts";
export {
  type DatasetReport,
  duplicateClusters,
  type Finding,
  leaksOf,
  quarantineOf,
} from "./data/check/dataset-report.ts";
export { type ImageFolderOptions, imageFolder } from "./data/image-folder.ts";
export { type ImageTableOptions, imageTable } from "./data/image-table.ts";
export { type InMemoryImage, type InMemoryOptions, inMemoryDataset } from "./data/in-memory.ts";
export { kFold } from "./data/k-fold.ts";
export { type OpenDatasetOptions, openDataset } from "./data/open-dataset.ts";
export type { Dataset, ImageSource, Sample, Skipped, Split, SplitSource, Task } from "./data/sample.ts";
export { type ErrorCode, RootstockError } from "./errors.ts";
export type { ClassificationEvaluation } from "./metrics/classification.ts";
export type { Evaluation, EvaluationOf } from "./metrics/evaluation.ts";
export type { MultiLabelEvaluation } from "./metrics/multi-label.ts";
export type { RegressionEvaluation } from "./metrics/regression.ts";
export { CATALOG, findWeights, type WeightsSource } from "./models/catalog.ts";
export { type LoadModelOptions, loadModel } from "./models/load-model.ts";
export { type LabelProbability, Model, type ModelTask, type Prediction, type PredictOptions } from "./models/model.ts";
export { type Rng, rng } from "./random.ts";
export { checkPage } from "./report/check-page.ts";
export { type CheckFeaturesOptions, checkFeatures, type FeatureFindings } from "./train/check-features.ts";
export { type EvaluateOptions, evaluateModel } from "./train/evaluate.ts";
export { fineTune, type Run } from "./train/fine-tune.ts";
export type { FineTuneOptions, Progress, Recipe } from "./train/options.ts";
export { affine, rotate, shear, shift, zoom } from "./transforms/affine.ts";
export { augmentImage } from "./transforms/augment.ts";
export { parseAugmentation, TRANSFORM_NAMES } from "./transforms/augmentation-schema.ts";
export { brightness, colorJitter, contrast, grayscale, hue, saturation } from "./transforms/color.ts";
export { type ApplyTransformsOptions, applyTransforms } from "./transforms/compose.ts";
export { centerCrop, randomCrop, randomResizedCrop, resizePicture } from "./transforms/crop.ts";
export { erasing } from "./transforms/erase.ts";
export { gaussianBlur, sharpen } from "./transforms/filter.ts";
export { horizontalFlip, verticalFlip } from "./transforms/flip.ts";
export type { ImageDataGeneratorOptions } from "./transforms/generator-arguments.ts";
export { autoContrast, equalize } from "./transforms/histogram.ts";
export type { Image } from "./transforms/image.ts";
export { type ImageDataGenerator, imageDataGenerator } from "./transforms/image-data-generator.ts";
export { channelShift, invert, posterize, solarize } from "./transforms/levels.ts";
export {
  type CutMixOptions,
  cutMix,
  type MixBatch,
  type MixedBatch,
  type MixupOptions,
  mixup,
} from "./transforms/mix.ts";
export { perspective } from "./transforms/perspective.ts";
export type { Box, Picture, Point } from "./transforms/picture.ts";
export { augMix, randAugment, trivialAugment } from "./transforms/policy.ts";
export {
  AUGMENTATION_LEVELS,
  type AugmentationLevel,
  type AugmentationPreset,
  type AugmentationPresetOptions,
  augmentationPreset,
} from "./transforms/presets.ts";
export type { Augmentation, TransformSpec } from "./transforms/transform.ts";
export { type FillMode, type WarpOptions, warp } from "./transforms/warp.ts";
export { type FetchOptions, fetchWeights } from "./weights/hub.ts";
export { type WeightsFile, weightsFileAt } from "./weights/weights-file.ts";
