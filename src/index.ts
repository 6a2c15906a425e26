/** The public API. */

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
export { type InMemoryImage, type InMemoryOptions, inMemoryDataset } from "./data/in-memory.ts";
export { type OpenDatasetOptions, openDataset } from "./data/open-dataset.ts";
export type { Dataset, ImageSource, Sample, Skipped, Split, SplitSource, Task } from "./data/sample.ts";
export { redrawSplits } from "./data/splits/assign-splits.ts";
export { kFold } from "./data/splits/k-fold.ts";
export { type ImageTableOptions, imageTable } from "./data/tables/image-table.ts";
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
export { type CheckFeaturesOptions, checkFeatures, type FeatureFindings } from "./train/check/check-features.ts";
export { type EvaluateOptions, evaluateModel } from "./train/evaluate.ts";
export { fineTune, type Run } from "./train/fine-tune.ts";
export type { FineTuneOptions, Progress, Recipe } from "./train/options.ts";
export { augmentImage } from "./transforms/augment.ts";
export { parseAugmentation, TRANSFORM_NAMES } from "./transforms/augmentation-schema.ts";
export { type ApplyTransformsOptions, applyTransforms } from "./transforms/compose.ts";
export { affine, rotate, shear, shift, zoom } from "./transforms/geometric/affine.ts";
export { centerCrop, randomCrop, randomResizedCrop, resizePicture } from "./transforms/geometric/crop.ts";
export { horizontalFlip, verticalFlip } from "./transforms/geometric/flip.ts";
export { perspective } from "./transforms/geometric/perspective.ts";
export type { Image } from "./transforms/image.ts";
export type { ImageDataGeneratorOptions } from "./transforms/keras/generator-arguments.ts";
export { type ImageDataGenerator, imageDataGenerator } from "./transforms/keras/image-data-generator.ts";
export {
  type CutMixOptions,
  cutMix,
  type MixBatch,
  type MixedBatch,
  type MixupOptions,
  mixup,
} from "./transforms/mix.ts";
export type { Box, Picture, Point } from "./transforms/picture.ts";
export { brightness, colorJitter, contrast, grayscale, hue, saturation } from "./transforms/pixels/color.ts";
export { erasing } from "./transforms/pixels/erase.ts";
export { gaussianBlur, sharpen } from "./transforms/pixels/filter.ts";
export { autoContrast, equalize } from "./transforms/pixels/histogram.ts";
export { channelShift, invert, posterize, solarize } from "./transforms/pixels/levels.ts";
export { augMix, randAugment, trivialAugment } from "./transforms/pixels/policy.ts";
export {
  type AskedAugmentation,
  AUGMENTATION_LEVELS,
  type AugmentationLevel,
  type AugmentationPreset,
  type AugmentationPresetOptions,
  augmentationPreset,
} from "./transforms/presets.ts";
export { type FillMode, type WarpOptions, warp } from "./transforms/resampling/warp.ts";
export type { Augmentation, TransformSpec } from "./transforms/transform.ts";
export { type FetchOptions, fetchWeights } from "./weights/hub.ts";
export { type WeightsFile, weightsFileAt } from "./weights/weights-file.ts";
