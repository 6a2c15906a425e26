/** `--augment`: how training images are varied, as a level of the presets or as a file of one's own. */
import { readFile } from "node:fs/promises";
import { systemProblem } from "../data/inspect.ts";
import { messageOf, RootstockError } from "../errors.ts";
import { parseAugmentation } from "../transforms/augmentation-schema.ts";
import { didYouMean } from "../transforms/known-options.ts";
import { AUGMENTATION_LEVELS, type AugmentationLevel } from "../transforms/presets.ts";
import type { Augmentation } from "../transforms/transform.ts";
import { type OptionTable, UsageError } from "./arguments.ts";

/** The largest file that is read, in bytes. */
const MAX_BYTES = 1e6;

export const augmentOption = {
  augment: {
    kind: "text",
    value: "<level|file>",
    help: `how training images vary: ${AUGMENTATION_LEVELS.join(", ")}, or a .json file with a list of transforms (see rootstock preview)`,
  },
} as const satisfies OptionTable;

/**
 * Returns the level, or what the file says.
 * @throws UsageError for a word that is neither; RootstockError BAD_CONFIG for a file that cannot be read or is no list of
 *   transforms.
 */
export async function readAugment(text: string | undefined): Promise<AugmentationLevel | Augmentation | undefined> {
  const level = AUGMENTATION_LEVELS.find((name) => name === text);
  if (level !== undefined || text === undefined) return level;
  let json: unknown;
  try {
    const bytes = await readFile(text);
    if (bytes.length > MAX_BYTES) throw new Error(`it has ${bytes.length} bytes, more than ${MAX_BYTES}`);
    json = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    const wanted = `--augment requires ${AUGMENTATION_LEVELS.join(", ")} or a JSON file with a list of transforms, got`;
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      const hint = didYouMean(text, AUGMENTATION_LEVELS);
      throw new UsageError(
        `${wanted} ${JSON.stringify(text)}${hint === "" ? ", and there is no such file." : `.${hint}`}`,
        {
          cause,
        },
      );
    }
    throw new RootstockError(
      "BAD_CONFIG",
      `${wanted} ${text}, which ${systemProblem(cause) ?? `cannot be used: ${messageOf(cause)}`}.`,
      { cause },
    );
  }
  return parseAugmentation(json, text);
}
