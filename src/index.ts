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
export { DRAWN_CLASSES, type DrawnClass } from "./data/drawings/class-forms.ts";
export { drawExample, drawScene } from "./data/drawings/draw.ts";
export { drawnExamples, type ExampleOptions } from "./data/drawings/drawn-examples.ts";
export { drawnScenes, type NamedImage, type SceneOptions } from "./data/drawings/drawn-scenes.ts";
export { type WrittenDrawings, writeDrawings } from "./data/drawings/write-drawings.ts";
export { type ImageFolderOptions, imageFolder } from "./data/image-folder.ts";
export { type InMemoryImage, type InMemoryOptions, inMemoryDataset } from "./data/in-memory.ts";
export { type OpenDatasetOptions, openDataset } from "./data/open-dataset.ts";
export type { Dataset, ImageSource, Sample, Skipped, Split, SplitSource, Task } from "./data/sample.ts";
export { redrawSplits } from "./data/splits/assign-splits.ts";
export { kFold } from "./data/splits/k-fold.ts";
export { type ImageTableOptions, imageTable } from "./data/tables/image-table.ts";
export { type UnlabelledImagesOptions, unlabelledImages } from "./data/unlabelled-images.ts";
export { type ErrorCode, RootstockError } from "./errors.ts";
export { type CalibrationChange, calibrationChange, type ReliabilityBin } from "./metrics/calibration.ts";
export type { ClassificationEvaluation } from "./metrics/classification.ts";
export { compareEvaluations, type EvaluationComparison, type MeasureDifference } from "./metrics/compare.ts";
export type { Evaluation, EvaluationOf, EvaluationResults } from "./metrics/evaluation.ts";
export type { Interval } from "./metrics/interval.ts";
export { MEASURES, type MeasureName } from "./metrics/measures.ts";
export type { MultiLabelEvaluation } from "./metrics/multi-label.ts";
export type { RegressionEvaluation } from "./metrics/regression.ts";
export { chooseThresholds } from "./metrics/thresholds.ts";
export { CATALOG, findWeights, type WeightsSource } from "./models/catalog.ts";
export { type FreshModelOptions, freshModel } from "./models/fresh-model.ts";
export { type LoadModelOptions, loadModel } from "./models/load-model.ts";
export {
  type LabelProbability,
  Model,
  type ModelTask,
  type Prediction,
  type PredictOptions,
  type TestTimeAugmentation,
} from "./models/model.ts";
export { type Rng, rng } from "./random.ts";
export { checkPage } from "./report/check-page.ts";
export type {
  Callback,
  EpochReport,
  Monitor,
  PhaseReport,
  RunControl,
  StepReport,
  StopOptions,
} from "./train/callback.ts";
export { csvLog } from "./train/callbacks/csv-log.ts";
export { type EarlyStoppingOptions, earlyStopping } from "./train/callbacks/early-stopping.ts";
export { jsonLines } from "./train/callbacks/json-lines.ts";
export type { RecordFileOptions } from "./train/callbacks/record-file.ts";
export { type ReduceOnPlateauOptions, reduceOnPlateau } from "./train/callbacks/reduce-on-plateau.ts";
export { type SaveWeightsOptions, saveWeights } from "./train/callbacks/save-weights.ts";
export { type TensorBoardOptions, tensorBoard } from "./train/callbacks/tensor-board.ts";
export { type CheckFeaturesOptions, checkFeatures, type FeatureFindings } from "./train/check/check-features.ts";
export { type Distilled, distill } from "./train/distill/distill.ts";
export type { DistillOptions, DistillRecipe } from "./train/distill/options.ts";
export type { Match } from "./train/distill/teacher.ts";
export { type EvaluateOptions, evaluateModel, type ModelEvaluation } from "./train/evaluate.ts";
export { fineTune } from "./train/fine-tune.ts";
export {
  findLearningRate,
  type LearningRateFinderOptions,
  type LearningRateFinding,
} from "./train/learning-rate-finder.ts";
export type { FineTuneOptions, Progress } from "./train/options.ts";
export { type Probe, type ProbeOptions, type ProbeRows, trainProbe } from "./train/probe/probe.ts";
export type { Recipe } from "./train/recipe.ts";
export type { Run, RunPhase } from "./train/run.ts";
export type { Strategy } from "./train/strategy.ts";
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
