/** Loads a model by its path, its name in the catalog or its address, whatever the format, with what belongs to it. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { FetchOptions } from "../weights/hub.ts";
import { openWeights } from "../weights/open-weights.ts";
import { LOGITS } from "./architectures/network.ts";
import type { ArchitectureName } from "./architectures/table.ts";
import type { WeightsSource } from "./catalog.ts";
import { type Found, findPreprocessing } from "./find-preprocessing.ts";
import { findArchitecture, identifyArchitecture } from "./identify-architecture.ts";
import { imageInput } from "./image-input.ts";
import { importModel } from "./importers/import-model.ts";
import { loadWeights } from "./load-weights.ts";
import { type LocatedModel, locateModel } from "./locate-model.ts";
import { Model } from "./model.ts";
import { formatOfModel } from "./model-format.ts";
import { atImageSize, checkInputShape, type PreprocessingName } from "./preprocessing.ts";
import { readOnnx } from "./read-onnx.ts";

export interface LoadModelOptions {
  /**
   * How pixels become the model's input: a name (imagenet, tf, caffe, unit, none), the path of a JSON file, or a record.
   * Needed only where neither the file nor the catalog nor a preprocessor_config.json beside it says; it overrides them.
   */
  readonly preprocessing?: PreprocessingName | string | Preprocessing | undefined;
  /** Class names in the order of the output, where the file does not carry them. */
  readonly labels?: readonly string[] | undefined;
  /** For files of weights alone: which network they are of. Found by names and shapes where it is not said. */
  readonly architecture?: ArchitectureName | string | undefined;
  /**
   * Height and width of the input in pixels, instead of those of the weights: networks that are built for them, and
   * files that take any size. Smaller is faster, larger often more accurate. @default the model's own
   */
  readonly imageSize?: readonly [number, number] | undefined;
  /** For PyTorch checkpoints: where the weights are, such as "model_ema". The usual places are searched otherwise. */
  readonly stateDict?: string | undefined;
  /** How a file that has to be downloaded is: cache folder, progress, signal. */
  readonly download?: FetchOptions | undefined;
}

/** What a file of any format holds. */
interface Contents {
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  readonly labels?: readonly string[] | undefined;
  /** How pixels become its input, where the format or the catalog says. */
  readonly preprocessing?: Found | undefined;
  /** What a person should know of how it was read. */
  readonly notes: readonly string[];
  readonly task?: Model["task"] | undefined;
}

const labelsSchema = z.array(z.string()).min(1).max(1_000_000);

/**
 * Loads a model: an ONNX file; a file of weights (safetensors, PyTorch, Keras) of a known architecture; a whole Keras or
 * TensorFlow.js layers model; or a name of the catalog such as "resnet50" or "timm/vit_small_patch16_224", an https:// or
 * hf:// address, which are downloaded once.
 * @throws RootstockError BAD_MODEL if it cannot be read or is not a vision model; BAD_CONFIG if a preprocessing that was
 * found does not fit; DOWNLOAD. A model without any preprocessing loads; using it on images is what fails.
 */
export async function loadModel(model: string, options: LoadModelOptions = {}): Promise<Model> {
  const located = await locateModel(model, options.download);
  const { path, name } = located;
  const { graph, metadata, labels, preprocessing, notes, task } = await read(located, options);
  const input = imageInput(graph);
  const found = await findPreprocessing(path, options.preprocessing, { metadata, known: preprocessing, input });
  return new Model({
    name,
    graph,
    metadata,
    preprocessing: found && checkInputShape(sized(found.preprocessing, options), input, found.source),
    preprocessingSource: found?.source ?? "nowhere",
    labels: options.labels ?? labels ?? labelsOf(metadata, name),
    notes,
    task,
  });
}

function sized(preprocessing: Preprocessing, { imageSize }: LoadModelOptions): Preprocessing {
  return imageSize ? atImageSize(preprocessing, imageSize) : preprocessing;
}

async function read(located: LocatedModel, options: LoadModelOptions): Promise<Contents> {
  const { path } = located;
  switch (await formatOfModel(path)) {
    case "onnx":
      return { ...(await readOnnx(path)), notes: [] };
    case "layers": {
      const { preprocessing, ...imported } = await importModel(path);
      return {
        ...imported,
        metadata: new Map(),
        preprocessing: preprocessing && { preprocessing, source: "the model's metadata" },
      };
    }
    case "weights":
      return await readWeights(located, options);
  }
}

/** Weights by name into their architecture, at the input size that the catalog gives them. */
async function readWeights(
  { path, record }: LocatedModel,
  { architecture, stateDict, imageSize }: LoadModelOptions,
): Promise<Contents> {
  const source = await openWeights(path, { stateDict });
  try {
    const named = architecture ?? record?.architecture;
    const chosen = named === undefined ? identifyArchitecture(source) : findArchitecture(named);
    const { graph, notes } = loadWeights(chosen, source, { inputSize: imageSize ?? record?.preprocessing.inputSize });
    const said = architecture === undefined && record === undefined ? [`the weights are those of ${chosen.name}`] : [];
    return {
      graph,
      metadata: metadataOf(chosen.name, record, source.metadata),
      preprocessing: record && {
        preprocessing: record.preprocessing,
        source: `the catalog's record ${record.name} (${record.publisher})`,
      },
      notes: [...said, ...notes],
      task: graph.outputs[0]!.name === LOGITS ? "classification" : "features",
    };
  } finally {
    source.close();
  }
}

function labelsOf(metadata: ReadonlyMap<string, string>, name: string): readonly string[] | undefined {
  const text = metadata.get("labels");
  if (text === undefined) return undefined;
  try {
    return labelsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RootstockError("BAD_MODEL", `metadata "labels" of ${name} requires a JSON list of class names.`, {
      cause,
    });
  }
}

/** What an exported model says of where it comes from. */
function metadataOf(
  architecture: string,
  record: WeightsSource | undefined,
  own: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const known = record
    ? ([
        ["license", record.license],
        ["source", record.url],
      ] as const)
    : [];
  const kept = [...own].filter(([name]) => name === "license" || name === "source");
  return new Map([["architecture", architecture], ...kept, ...known]);
}
