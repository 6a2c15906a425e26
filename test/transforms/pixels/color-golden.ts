/** What test/golden/color/make.py recorded, and comparison with it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { z } from "zod";
import type { Image } from "../../../src/transforms/image.ts";
import { type OperationName, POLICY_OPERATIONS } from "../../../src/transforms/pixels/policy-operations.ts";

const expected = { sha256: z.string(), pixels: z.string().optional() };
const kind = z.enum(["brightness", "contrast", "saturation", "hue"]);
const operation = z.enum(Object.keys(POLICY_OPERATIONS) as [OperationName, ...OperationName[]]);
const step = { name: operation, magnitude: z.number() };
const numbers = z.array(z.number());

function read(name: string): unknown {
  return JSON.parse(readFileSync(`test/golden/color/${name}.json`, "utf8"));
}

export const cases = z
  .object({
    scene: z.object(expected),
    color: z.array(z.object({ kind, factor: z.number(), ...expected })),
    jitter: z.array(z.object({ steps: z.array(z.tuple([kind, z.number()])), ...expected })),
    plain: z.array(z.object({ name: z.string(), option: z.number(), ...expected })),
    blur: z.array(z.object({ kernelSize: z.number(), sigma: z.number(), ...expected })),
    mixing: z.array(
      z.object({ lambda: z.number(), box: numbers.length(4).nullable(), inputs: numbers, targets: numbers }),
    ),
  })
  .parse(read("cases"));

const chain = z.object({ weight: z.number(), steps: z.array(z.object(step)) });

export const policies = z
  .object({
    operations: z.array(z.object({ ...step, ...expected })),
    augMix: z.array(z.object({ original: z.number(), chains: z.array(chain), ...expected })),
  })
  .parse(read("policies"));

export const spaces = z
  .array(
    z.object({
      policy: z.enum(["rand-augment", "trivial-augment", "aug-mix"]),
      width: z.number(),
      height: z.number(),
      space: z.array(z.object({ name: operation, magnitudes: numbers, signed: z.boolean() })),
    }),
  )
  .parse(read("spaces"));

export function sha256({ data }: Image): string {
  return createHash("sha256").update(data).digest("hex");
}

/** How far a picture is from what was recorded: the largest difference in grey levels, and the share of pixels that differ. */
export function difference(
  image: Image,
  recorded: { readonly sha256: string; readonly pixels?: string | undefined },
): { readonly levels: number; readonly share: number } {
  if (sha256(image) === recorded.sha256) return { levels: 0, share: 0 };
  if (recorded.pixels === undefined) return { levels: Number.POSITIVE_INFINITY, share: 1 };
  const other = inflateSync(Buffer.from(recorded.pixels, "base64"));
  let levels = 0;
  const differing = new Set<number>();
  for (const [i, level] of image.data.entries()) {
    const distance = Math.abs(level - other[i]!);
    if (distance > 0) differing.add(Math.floor(i / 3));
    levels = Math.max(levels, distance);
  }
  return { levels, share: differing.size / (image.width * image.height) };
}
