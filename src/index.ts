/** The public API. */

export { type ImageFolderOptions, imageFolder } from "./data/image-folder.ts";
export type { Dataset, Sample, Skipped, Split } from "./data/sample.ts";
export { type ErrorCode, RootstockError } from "./errors.ts";
export { CATALOG, findWeights, type WeightsSource } from "./models/catalog.ts";
export { type LoadModelOptions, loadModel } from "./models/load-model.ts";
export { type LabelProbability, Model, type Prediction, type PredictOptions } from "./models/model.ts";
export { fineTune, type Run } from "./train/fine-tune.ts";
export type { FineTuneOptions, Progress, Recipe } from "./train/options.ts";
export { type FetchOptions, fetchWeights } from "./weights/hub.ts";
export { type WeightsFile, weightsFileAt } from "./weights/weights-file.ts";
