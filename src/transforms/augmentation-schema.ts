/** Reads an augmentation from JSON: a file of the user's, a run's record, the metadata of an exported file. */
import { z } from "zod";
import { listed, RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";
import { geometricSchema, geometricSchemas } from "./geometric/geometric-schema.ts";
import { GEOMETRIC } from "./geometric/geometric-table.ts";
import { pixelSchema, pixelSchemas } from "./pixels/pixel-schema.ts";
import { PIXEL_TRANSFORMS } from "./pixels/pixel-table.ts";
import type { Augmentation, TransformSpec } from "./transform.ts";

/** A list longer than this is a mistake. */
const MAX_TRANSFORMS = 100;

/** The names of all transforms. */
export const TRANSFORM_NAMES: readonly string[] = [...Object.keys(GEOMETRIC), ...Object.keys(PIXEL_TRANSFORMS)];

/**
 * Returns the augmentation that untrusted JSON describes: `{ version: 1, transforms: [...] }`, or the list alone.
 * @param where What the JSON is, such as a file's name, for messages.
 * @throws RootstockError BAD_CONFIG that names the place, what is allowed there and, for a name, the nearest ones.
 */
export function parseAugmentation(json: unknown, where = "augmentation"): Augmentation {
  const envelope = Array.isArray(json) ? { version: 1, transforms: json } : json;
  const outer = z
    .strictObject({ version: z.literal(1), transforms: z.array(z.unknown()).max(MAX_TRANSFORMS) })
    .safeParse(envelope);
  if (!outer.success) {
    throw new RootstockError(
      "BAD_CONFIG",
      `${where} requires { version: 1, transforms: [...] } or a list of at most ${MAX_TRANSFORMS} transforms. ${problems(outer.error, "")}`,
    );
  }
  const { transforms } = outer.data;
  return { version: 1, transforms: transforms.map((spec, i) => parseTransform(spec, `${where}: transforms[${i}]`)) };
}

function parseTransform(json: unknown, where: string): TransformSpec {
  const name = typeof json === "object" && json !== null && "name" in json ? json.name : undefined;
  if (typeof name !== "string") {
    throw new RootstockError("BAD_CONFIG", `${where} requires an object with the name of a transform. ${known()}`);
  }
  const isPixels = Object.hasOwn(PIXEL_TRANSFORMS, name);
  if (!isPixels && !Object.hasOwn(GEOMETRIC, name)) {
    const near = nearest(name.toLowerCase(), TRANSFORM_NAMES);
    const hint = near.length > 0 ? `Did you mean ${near.map((other) => `"${other}"`).join(" or ")}?` : known();
    throw new RootstockError(
      "BAD_CONFIG",
      `${where} is named ${JSON.stringify(name.slice(0, 80))}, which is no transform. ${hint}`,
    );
  }
  const parsed = isPixels ? pixelSchema.safeParse(json) : geometricSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RootstockError("BAD_CONFIG", `${where} ("${name}") cannot be used. ${problems(parsed.error, name)}`);
}

/** The options that a transform takes. */
function optionsOf(name: string): string[] {
  const schema = [...geometricSchemas, ...pixelSchemas].find(({ shape }) => shape.name.value === name);
  return Object.keys(schema?.shape ?? {}).filter((key) => key !== "name");
}

function known(): string {
  return `Known are ${listed(TRANSFORM_NAMES, 100)}.`;
}

/** What is wrong, each with its place: `degrees: Invalid input: expected number, received string`. */
function problems({ issues }: z.ZodError, name: string): string {
  const lines = issues.map((issue) => {
    const place = issue.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
    if (issue.code === "unrecognized_keys") return `${unknownKeys(issue.keys, name)}`;
    // Of several forms, the one that got furthest says most.
    const inner = issue.code === "invalid_union" ? issue.errors.flat().map(({ message }) => message) : [];
    const said = inner.length > 0 ? [...new Set(inner)].join("; or ") : issue.message;
    return `${place.replace(/^\./, "") || "It"}: ${said}`;
  });
  return `${listed(lines)}.`;
}

function unknownKeys(keys: readonly string[], name: string): string {
  const options = name === "" ? ["version", "transforms"] : optionsOf(name);
  const near = keys.flatMap((key) => nearest(key.slice(0, 80), options));
  const hint = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : `; it takes ${options.join(", ")}`;
  return `unknown ${listed(keys.map((key) => JSON.stringify(key.slice(0, 80))))}${hint}`;
}
