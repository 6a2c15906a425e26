/** Reads a model file from disk, with what stands beside it and in its metadata. */
import { readFileSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, RootstockError } from "../errors.ts";
import { loadGraph } from "../graph/load.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import { type InputShape, imageInput } from "./image-input.ts";
import { Model } from "./model.ts";
import {
  checkInputShape,
  NAMED_PREPROCESSING,
  namedPreprocessing,
  type PreprocessingName,
  parsePreprocessing,
} from "./preprocessing.ts";

export interface LoadModelOptions {
  /**
   * How pixels become the model's input: a name (imagenet, tf, caffe, none), the path of a JSON file, or a record.
   * Needed only where neither the file nor a preprocessor_config.json beside it says; it overrides both.
   */
  readonly preprocessing?: PreprocessingName | string | Preprocessing | undefined;
  /** Class names in the order of the output, where the file does not carry them. */
  readonly labels?: readonly string[] | undefined;
}

const labelsSchema = z.array(z.string()).min(1).max(1_000_000);

/**
 * Loads an ONNX model file.
 * @throws RootstockError BAD_MODEL if it cannot be read or is not a vision model; BAD_CONFIG if a preprocessing that was
 * found does not fit. A model without any preprocessing loads; using it on images is what fails.
 */
export async function loadModel(path: string, { preprocessing, labels }: LoadModelOptions = {}): Promise<Model> {
  const name = basename(path);
  const { graph, metadata } = loadGraph(await readModelFile(path), {
    name,
    readExternal: (file) => readBeside(path, file),
  });
  const input = imageInput(graph);
  const found = await findPreprocessing(path, preprocessing, metadata, input);
  return new Model({
    name,
    graph,
    metadata,
    preprocessing: found && checkInputShape(found.preprocessing, input, found.source),
    preprocessingSource: found?.source ?? "nowhere",
    labels: labels ?? labelsOf(metadata, name),
  });
}

interface Found {
  readonly preprocessing: Preprocessing;
  readonly source: string;
}

async function findPreprocessing(
  path: string,
  asked: string | Preprocessing | undefined,
  metadata: ReadonlyMap<string, string>,
  input: InputShape,
): Promise<Found | undefined> {
  if (typeof asked === "object") return { preprocessing: asked, source: "the caller" };
  if (asked !== undefined) {
    const source = `--preprocessing ${asked}`;
    if (Object.hasOwn(NAMED_PREPROCESSING, asked)) {
      return { preprocessing: namedPreprocessing(asked as PreprocessingName, input), source }; // a key of the table
    }
    const text = await readFile(asked, "utf8").catch((cause: unknown) => {
      const names = Object.keys(NAMED_PREPROCESSING).join(", ");
      throw new RootstockError(
        "BAD_CONFIG",
        `${source}: required is one of ${names}, or a JSON file; ${messageOf(cause)}.`,
        { cause },
      );
    });
    return { preprocessing: parsePreprocessing(text, asked, input), source };
  }
  const own = metadata.get("preprocessing");
  if (own !== undefined)
    return {
      preprocessing: parsePreprocessing(own, `metadata "preprocessing" of ${basename(path)}`, input),
      source: "the file's metadata",
    };
  const beside = await readFile(join(dirname(path), "preprocessor_config.json"), "utf8").catch(() => undefined);
  if (beside === undefined) return undefined;
  return {
    preprocessing: parsePreprocessing(beside, "preprocessor_config.json", input),
    source: "preprocessor_config.json",
  };
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

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (!info.isFile()) {
      const what = info.isDirectory() ? "a folder" : "not a regular file";
      throw new RootstockError("BAD_MODEL", `${path} is ${what}; an .onnx file is required.`);
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof RootstockError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT"; // errors of node:fs carry a code
    throw new RootstockError(
      "BAD_MODEL",
      missing ? `no model file at ${path}.` : `cannot read ${path}: ${messageOf(cause)}.`,
      { cause },
    );
  }
}

function readBeside(path: string, file: string): Uint8Array {
  try {
    const target = join(dirname(path), file);
    // A link is followed, since model hubs keep files so; a pipe or a device would never end.
    if (!statSync(target).isFile()) throw new Error("it is not a regular file");
    return readFileSync(target);
  } catch (cause) {
    throw new RootstockError(
      "BAD_MODEL",
      `${basename(path)} keeps weights in "${file}" beside it, which cannot be read: ${messageOf(cause)}.`,
      { cause },
    );
  }
}
