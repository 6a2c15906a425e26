/** How much of a network trains, and in which order: a strategy as the phases that it is made of. */
import type { Dataset } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { UNFREEZE_FORMS } from "../models/unfreeze.ts";

/** What `strategy` may be; "last:N" trains the last N stages. */
export type Strategy = "probe" | "head" | "last" | `last:${number}` | "gradual" | "full" | "auto";

/** Forms of a strategy, for help and messages. */
export const STRATEGY_FORMS = "probe, head, last, last:N, gradual, full or auto";

/** Training images per class from which "auto" trains the whole network: fewer say too little about so many weights. */
const ENOUGH_PER_CLASS = 20;

/**
 * What is unfrozen in each phase of training, in order: forms of `unfreeze`, "head" for the head alone. Without a phase the
 * probe is the result. "gradual" is the unfreezing of Howard and Ruder 2018 (arXiv:1801.06146) in three steps.
 * @param samples Training images. @param classes Classes of single-label and multi-label data.
 * @throws RootstockError BAD_CONFIG for another strategy, or one that contradicts `unfreeze`.
 */
export function phasesOf(
  { strategy, unfreeze }: { readonly strategy?: string | undefined; readonly unfreeze?: string | undefined },
  data?: Pick<Dataset, "samples" | "classes" | "task">,
): readonly string[] {
  if (strategy === undefined) return [checkedUnfreeze(unfreeze ?? "head")];
  if (unfreeze !== undefined)
    throw new RootstockError(
      "BAD_CONFIG",
      `strategy "${strategy}" decides what is unfrozen, and unfreeze is "${unfreeze}". Leave one of them out.`,
    );
  if (strategy === "probe") return [];
  if (strategy === "head" || /^last(:\d+)?$/.test(strategy)) return [strategy];
  if (strategy === "gradual") return ["last", "last:2", "all"];
  if (strategy === "full") return ["all"];
  if (strategy === "auto") return [data && imagesPerClass(data) < ENOUGH_PER_CLASS ? "last" : "all"];
  throw new RootstockError("BAD_CONFIG", `strategy requires ${STRATEGY_FORMS}, got ${JSON.stringify(strategy)}.`);
}

/** Training images for each class; of a regression, where there is none, all of them. */
function imagesPerClass(data: Pick<Dataset, "samples" | "classes" | "task">): number {
  const count = data.samples.filter(({ split }) => split === "train").length;
  return data.task === "regression" ? count : count / Math.max(1, data.classes.length);
}

function checkedUnfreeze(unfreeze: unknown): string {
  if (typeof unfreeze === "string") return unfreeze;
  throw new RootstockError("BAD_CONFIG", `unfreeze requires ${UNFREEZE_FORMS}, got ${JSON.stringify(unfreeze)}.`);
}
