/** What an exported file says of how its outputs were calibrated, read with the care that a file from elsewhere needs. */
import { z } from "zod";
import { RootstockError } from "../errors.ts";

const thresholds = z.array(z.number().gt(0).lt(1)).min(1).max(1_000_000);
const temperature = z.number().gt(0).max(1e6);

/**
 * Returns the probability above which each class of a multi-label model is predicted, where the file says.
 * @throws RootstockError BAD_MODEL if it says something else than a list of numbers between 0 and 1.
 */
export function thresholdsIn(metadata: ReadonlyMap<string, string>, name: string): readonly number[] | undefined {
  return read(metadata, name, {
    key: "thresholds",
    schema: thresholds,
    required: "a JSON list of numbers between 0 and 1",
  });
}

/**
 * Returns what the logits of a model were divided by before it was exported, where the file says. Its outputs contain it.
 * @throws RootstockError BAD_MODEL if it says something else than a number above 0.
 */
export function temperatureIn(metadata: ReadonlyMap<string, string>, name: string): number | undefined {
  return read(metadata, name, { key: "temperature", schema: temperature, required: "a number above 0" });
}

function read<T>(
  metadata: ReadonlyMap<string, string>,
  name: string,
  { key, schema, required }: { readonly key: string; readonly schema: z.ZodType<T>; readonly required: string },
): T | undefined {
  const text = metadata.get(key);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    throw new RootstockError(
      "BAD_MODEL",
      `metadata "${key}" of ${name} requires ${required}, got ${JSON.stringify(shown)}. Export the model again, or remove the entry.`,
      { cause },
    );
  }
}
