/** Whether a result.json says what a run could have written: nothing of one that does not is shown or ranked. */
import type { Json } from "../../json.ts";
import { cut, fieldOf, isFields } from "./json-fields.ts";
import { isPossible } from "./measures.ts";

/** No run makes more epochs, nor takes longer: 30 years. */
const MAX_EPOCHS = 1e9;
const MAX_SECONDS = 1e9;

/** What is wrong with the value of a result.json, in words that read on from its name; undefined if nothing is. */
export function resultProblem(result: Json): string | undefined {
  if (!isFields(result)) return `is no record of a result, got ${shown(result)}`;
  const metrics = result["metrics"];
  if (!isFields(metrics)) return `has no measures, got ${shown(metrics)} for them`;
  const baseline = result["baseline"];
  const tables = [metrics, ...[baseline, fieldOf(baseline, "metrics")].filter(isFields)];
  return (
    numberProblem("epochs", result["epochs"], { most: MAX_EPOCHS, whole: true }) ??
    numberProblem("seconds", fieldOf(result, "seconds", "total"), { most: MAX_SECONDS }) ??
    secondsProblem(result["seconds"]) ??
    tables.map(measuresProblem).find((problem) => problem !== undefined)
  );
}

function secondsProblem(seconds: Json | undefined): string | undefined {
  if (seconds === undefined || isFields(seconds)) return undefined;
  return `has the seconds ${shown(seconds)}, which cannot be`;
}

function numberProblem(
  name: string,
  value: Json | undefined,
  { most, whole = false }: { readonly most: number; readonly whole?: boolean },
): string | undefined {
  if (value === undefined) return undefined;
  const isIn = typeof value === "number" && value >= 0 && value <= most && (!whole || Number.isInteger(value));
  return isIn ? undefined : `has the ${name} ${shown(value)}, which cannot be`;
}

/** Measures are numbers; one that could not be computed is null, and lists and tables belong to one. */
function measuresProblem(table: { readonly [name: string]: Json | undefined }): string | undefined {
  for (const [name, value] of Object.entries(table)) {
    if (typeof value === "object") continue;
    if (typeof value !== "number" || !isPossible(name, value))
      return `has the ${cut(name)} ${shown(value)}, which cannot be`;
  }
  return undefined;
}

function shown(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a table";
  return cut(JSON.stringify(value)).slice(0, 60);
}
