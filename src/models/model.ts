/** A model as people use it: a graph with the preprocessing and the labels that belong to it. */

import { ImageLoader } from "../data/loader.ts";
import { type ImageSource, nameOfSource } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { formatShape, type Graph } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { producersOf } from "../graph/traverse.ts";
import { ACTIVATIONS, type Activation, topK } from "../metrics/probabilities.ts";
import { Session, type SessionOptions } from "../runtime/session.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { type ImageInput, imageInput } from "./image-input.ts";
import { unknownPreprocessing } from "./preprocessing.ts";
import { runImages } from "./run-images.ts";
import { temperatureIn, thresholdsIn } from "./trained-metadata.ts";

/** One class with its probability in [0, 1]. */
export interface LabelProbability {
  readonly label: string;
  readonly probability: number;
}

/** What a model says of one image, or why the file could not be used. */
export type Prediction =
  | {
      readonly file: string;
      /** The most probable classes, best first; of a multi-label model every class above its threshold. */
      readonly top: readonly LabelProbability[];
      /** Of every class, in the order of the labels. */
      readonly probabilities: Float32Array;
      /** With test-time augmentation, what was averaged: the probabilities of the image, then those of its mirror image. */
      readonly views?: readonly Float32Array[];
    }
  | {
      readonly file: string;
      /** What a regression gives, by the name of the target. */
      readonly values: Readonly<Record<string, number>>;
      /** With test-time augmentation, what was averaged, in the order of the labels. */
      readonly views?: readonly Float32Array[];
    }
  | { readonly file: string; readonly error: string };

/**
 * What a model is for: one class for each image, any number of classes, one number for each of its targets, or features
 * for another model.
 */
export type ModelTask = "classification" | "multi-label" | "regression" | "features";

/** The metadata "task" of exported files. */
export const MODEL_TASKS = {
  "image-classification": "classification",
  "multi-label-image-classification": "multi-label",
  "image-regression": "regression",
  "image-feature-extraction": "features",
} as const satisfies Record<string, ModelTask>;

/** A class of a multi-label model is said to be there above this probability, where its file does not say. */
const THRESHOLD = 0.5;

/** What is averaged to a prediction: the image alone, or the image and its mirror image. */
export type TestTimeAugmentation = "none" | "flip";

export interface PredictOptions extends SessionOptions {
  /** How many classes to return, of a model whose classes exclude each other. @default 5 */
  readonly top?: number | undefined;
  /** Worker threads that decode; 0 decodes in the calling thread. @default 0 */
  readonly decodeThreads?: number | undefined;
  /**
   * "flip" averages the probabilities (of a regression the values) of each image and its mirror image, left to right. It
   * takes twice as long, often gains a little, and is wrong where a mirrored image means something else: letters, digits,
   * left and right. @default "none"
   */
  readonly testTimeAugmentation?: TestTimeAugmentation | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Everything a model file says, in one place. */
export interface ModelParts {
  /** Name for messages and records: the file's name. */
  readonly name: string;
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  readonly preprocessing: Preprocessing | undefined;
  /** Where the preprocessing was found: "the file's metadata", "preprocessor_config.json", "--preprocessing imagenet". */
  readonly preprocessingSource: string;
  /** Names of the classes, or of a regression's targets, in the order of the output, if they are known. */
  readonly labels: readonly string[] | undefined;
  /** What a person should know of how the file was read; nothing for most. */
  readonly notes?: readonly string[] | undefined;
  /** What the graph is known to give; else what the metadata say; a file that does not say is taken for a classifier. */
  readonly task?: ModelTask | undefined;
}

/** A loaded model. Predicting starts a session, which `release` (or `await using`) frees. */
export class Model implements ModelParts, AsyncDisposable {
  readonly name: string;
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  readonly preprocessing: Preprocessing | undefined;
  readonly preprocessingSource: string;
  readonly labels: readonly string[] | undefined;
  readonly notes: readonly string[];
  readonly task: ModelTask;
  readonly input: ImageInput;
  /** How the file's output is to be read: classes that exclude each other, independent ones, or values. */
  readonly activation: Activation;
  /** Of a multi-label model: the probability above which each class is there, if the file says; else it is 0.5 for all. */
  readonly thresholds: readonly number[] | undefined;
  /** What the logits were divided by when the model was calibrated, if the file says; its outputs contain it. */
  readonly temperature: number | undefined;
  #session: { readonly key: string; readonly started: Promise<Session> } | undefined;

  /** @throws RootstockError BAD_MODEL if the graph takes no image, or its metadata are none that can be used. */
  constructor(parts: ModelParts) {
    this.name = parts.name;
    this.graph = parts.graph;
    this.metadata = parts.metadata;
    this.preprocessing = parts.preprocessing;
    this.preprocessingSource = parts.preprocessingSource;
    this.labels = parts.labels;
    this.notes = parts.notes ?? [];
    this.task = parts.task ?? taskOf(parts.metadata) ?? "classification";
    this.input = imageInput(parts.graph);
    this.activation = activationOf(parts, this.task);
    this.thresholds = this.task === "multi-label" ? thresholdsIn(parts.metadata, parts.name) : undefined;
    this.temperature = temperatureIn(parts.metadata, parts.name);
  }

  /**
   * The preprocessing, which training and prediction cannot do without.
   * @throws RootstockError BAD_CONFIG with the choices, if the file does not say.
   */
  requirePreprocessing(): Preprocessing {
    if (!this.preprocessing) throw unknownPreprocessing(this.name);
    return this.preprocessing;
  }

  /**
   * The most probable classes of one image file, best first; of a multi-label model every class above its threshold.
   * @throws RootstockError BAD_DATA if the file cannot be read as an image; BAD_MODEL if the model gives values.
   */
  async predict(file: string, options: PredictOptions = {}): Promise<readonly LabelProbability[]> {
    const prediction = await this.#predictOne(file, options);
    if ("top" in prediction) return prediction.top;
    throw new RootstockError("BAD_MODEL", `${this.name} gives values and no classes. Call predictValues.`);
  }

  /**
   * The values of one image file, by the name of the target.
   * @throws RootstockError BAD_DATA if the file cannot be read as an image; BAD_MODEL if the model gives classes.
   */
  async predictValues(file: string, options: PredictOptions = {}): Promise<Readonly<Record<string, number>>> {
    const prediction = await this.#predictOne(file, options);
    if ("values" in prediction) return prediction.values;
    throw new RootstockError("BAD_MODEL", `${this.name} gives classes and no values. Call predict.`);
  }

  async #predictOne(file: string, options: PredictOptions): Promise<Exclude<Prediction, { readonly error: string }>> {
    for await (const prediction of this.predictFiles([file], options)) {
      if ("error" in prediction) throw new RootstockError("BAD_DATA", `${file} ${prediction.error}.`);
      return prediction;
    }
    throw new RootstockError("INTERNAL", `internal: no prediction of ${file}. Please report it.`);
  }

  /**
   * Predicts many files, or the bytes of encoded images, in order; one that cannot be decoded gives an error entry and
   * never stops the others.
   */
  async *predictFiles(
    files: readonly ImageSource[],
    { top = 5, decodeThreads = 0, testTimeAugmentation = "none", signal, ...session }: PredictOptions = {},
  ): AsyncGenerator<Prediction> {
    if (this.task === "features") {
      throw new RootstockError(
        "BAD_MODEL",
        `${this.name} gives features and has no classifier: there is nothing to predict. Train one first.`,
      );
    }
    const preprocessing = this.requirePreprocessing();
    const { numClasses, normalized } = scores(this.graph);
    const labels = this.#labels(numClasses);
    const mirrored = testTimeAugmentation === "flip";
    const loader = new ImageLoader({ threads: decodeThreads });
    let views: Float32Array[] = [];
    try {
      const results = runImages(await this.#start(session), files, { loader, preprocessing, mirrored, signal });
      for await (const result of results) {
        const file = nameOfSource(files[result.index]!);
        if ("error" in result) {
          yield { file, error: result.error };
          continue;
        }
        views.push(normalized ? result.row : activated(result.row, this.activation));
        if (mirrored && views.length < 2) continue; // the mirror image comes next
        yield this.#predictionOf(file, views, { labels, top });
        views = [];
      }
    } finally {
      await loader.close();
    }
  }

  /** @param views probabilities or values of the image, and of its mirror image where that is asked for. */
  #predictionOf(
    file: string,
    views: readonly Float32Array[],
    { labels, top }: { readonly labels: readonly string[]; readonly top: number },
  ): Prediction {
    if (!views.every((row) => row.every(Number.isFinite)))
      return { file, error: "gets scores that are no numbers: the weights are damaged, or the preprocessing is wrong" };
    const [first, second] = views;
    const mean = second ? first!.map((value, i) => (value + second[i]!) / 2) : first!; // at least one view
    const averaged = second ? { views } : {};
    if (this.task === "regression")
      return { file, values: Object.fromEntries(labels.map((label, i) => [label, mean[i]!])), ...averaged };
    const several = this.task === "multi-label";
    const best = topK(mean, several ? labels.length : Math.min(top, labels.length));
    return {
      file,
      probabilities: mean,
      top: best
        .filter(({ index, probability }) => !several || probability > (this.thresholds?.[index] ?? THRESHOLD))
        .map(({ index, probability }) => ({ label: labels[index]!, probability })),
      ...averaged,
    };
  }

  /** The names of the outputs, made up where there are none. @throws RootstockError BAD_MODEL if they are not as many. */
  #labels(numClasses: number): readonly string[] {
    const unnamed = this.task === "regression" ? "target" : "class";
    const labels = this.labels ?? Array.from({ length: numClasses }, (_, i) => `${unnamed} ${i}`);
    if (labels.length !== numClasses)
      throw new RootstockError(
        "BAD_MODEL",
        `${this.name} has ${numClasses} outputs but ${labels.length} labels. Pass the right labels.`,
      );
    if (this.thresholds && this.thresholds.length !== numClasses)
      throw new RootstockError(
        "BAD_MODEL",
        `${this.name} has ${numClasses} outputs, but metadata "thresholds" has ${this.thresholds.length} numbers. Export the model again, or remove the entry.`,
      );
    return labels;
  }

  /** The session for these options: the one of the last prediction if they are the same. */
  async #start(options: SessionOptions): Promise<Session> {
    const key = JSON.stringify(options);
    if (this.#session?.key !== key) {
      await this.release();
      this.#session = { key, started: Session.create(this.graph, options) };
    }
    const { started } = this.#session;
    try {
      return await started;
    } catch (error) {
      if (this.#session?.started === started) this.#session = undefined; // so that it can be tried again
      throw error;
    }
  }

  /** Frees the session. The model can be used again: the next prediction starts another one. */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await (await session?.started)?.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Probabilities or values of one row of outputs; a row that holds no numbers as it is. */
function activated(row: Float32Array, activation: Activation): Float32Array {
  return row.every(Number.isFinite) ? ACTIVATIONS[activation](row, row.length) : row;
}

function taskOf(metadata: ReadonlyMap<string, string>): ModelTask | undefined {
  const said = metadata.get("task") ?? "";
  return Object.hasOwn(MODEL_TASKS, said) ? MODEL_TASKS[said as keyof typeof MODEL_TASKS] : undefined; // one of its keys
}

/** What the file says, else what its graph ends with, else what the task has. */
function activationOf({ metadata, graph }: ModelParts, task: ModelTask): Activation {
  if (task === "regression") return "identity";
  const said = metadata.get("activation") ?? lastActivation(graph) ?? (task === "multi-label" ? "sigmoid" : "softmax");
  return said === "sigmoid" ? "sigmoid" : "softmax";
}

/** Whether the graph's output is one row of scores per image, how many, and whether they are probabilities already. */
function scores(graph: Graph): { numClasses: number; normalized: boolean } {
  const output = graph.outputs[0]!;
  const shape = inferTypes(graph).get(output.name)?.shape ?? output.shape;
  const numClasses = shape?.length === 2 ? shape[1] : undefined;
  if (typeof numClasses !== "number") {
    throw new RootstockError(
      "BAD_MODEL",
      `prediction requires a classifier with output [n, classes], got "${output.name}" ${formatShape(shape)}.`,
    );
  }
  return { numClasses, normalized: lastActivation(graph) !== undefined };
}

/** The activation that the first output has already been through, seen through operators that only reshape. */
function lastActivation(graph: Graph): Activation | undefined {
  const producers = producersOf(graph.nodes);
  let node = producers.get(graph.outputs[0]?.name ?? "");
  while (node && ["Cast", "Flatten", "Identity", "Reshape", "Squeeze"].includes(node.op)) {
    node = producers.get(node.inputs[0]!);
  }
  return node?.op === "Softmax" ? "softmax" : node?.op === "Sigmoid" ? "sigmoid" : undefined;
}
