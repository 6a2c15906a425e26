/** The colored pictures of `writeColorImages` as data of the other tasks. */
import type { Dataset, Sample } from "../../src/data/sample.ts";

type Kind = "blue" | "green" | "red";

/** Blue pictures are cool, green ones are cool and fresh, red ones are neither. */
const SHOWN = { blue: [0], green: [0, 1], red: [] } as const satisfies Record<Kind, readonly number[]>;

/** How much red and blue a picture has, in units that are far apart. */
const AMOUNTS = { blue: [0.4, 20_000], green: [0.5, 6000], red: [2, 5000] } as const satisfies Record<
  Kind,
  readonly number[]
>;

export function asMultiLabel(data: Dataset): Dataset & { readonly task: "multi-label" } {
  return { ...data, task: "multi-label", classes: ["cool", "fresh"], samples: retargeted(data, SHOWN) };
}

export function asRegression(data: Dataset): Dataset & { readonly task: "regression" } {
  return { ...data, task: "regression", classes: ["red", "blue"], samples: retargeted(data, AMOUNTS) };
}

function retargeted({ samples, classes }: Dataset, targets: Record<Kind, readonly number[]>): Sample[] {
  return samples.map((sample) => ({ ...sample, target: targets[classes[sample.target[0]!] as Kind] })); // the folders' names
}
