/** Finds the preprocessing of a model: what the caller says, what the file says, what stands beside it. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, RootstockError } from "../errors.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { InputShape } from "./image-input.ts";
import {
  NAMED_PREPROCESSING,
  namedPreprocessing,
  type PreprocessingName,
  parsePreprocessing,
} from "./preprocessing.ts";

/** A preprocessing and where it was found, for messages. */
export interface Found {
  readonly preprocessing: Preprocessing;
  readonly source: string;
}

/**
 * The preprocessing of the model at `path`, or undefined where nothing says how its pixels are made.
 * @param known what the format or the catalog says, where the file's own metadata do not.
 * @throws RootstockError BAD_CONFIG for a record that cannot be used.
 */
export async function findPreprocessing(
  path: string,
  asked: string | Preprocessing | undefined,
  { metadata, known, input }: { metadata: ReadonlyMap<string, string>; known?: Found | undefined; input: InputShape },
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
  if (known) return known;
  const beside = await readFile(join(dirname(path), "preprocessor_config.json"), "utf8").catch(() => undefined);
  if (beside === undefined) return undefined;
  return {
    preprocessing: parsePreprocessing(beside, "preprocessor_config.json", input),
    source: "preprocessor_config.json",
  };
}
