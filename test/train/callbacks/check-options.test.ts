import { expect, test } from "vitest";
import { csvLog } from "../../../src/train/callbacks/csv-log.ts";
import { earlyStopping } from "../../../src/train/callbacks/early-stopping.ts";
import { jsonLines } from "../../../src/train/callbacks/json-lines.ts";
import { reduceOnPlateau } from "../../../src/train/callbacks/reduce-on-plateau.ts";
import { saveWeights } from "../../../src/train/callbacks/save-weights.ts";
import { tensorBoard } from "../../../src/train/callbacks/tensor-board.ts";

const MAKERS = { csvLog, earlyStopping, jsonLines, reduceOnPlateau, saveWeights, tensorBoard };

test.each(Object.entries(MAKERS))(
  "%s explains itself without options, and refuses those that there are not",
  (_, make) => {
    const call = make as (options?: unknown) => unknown; // as JavaScript calls it
    expect(() => call()).toThrow(/^[a-z-]+ requires options, such as .*\{.*: .*, got none\.$/);
    expect(() => call(null)).toThrow(/requires an object of options, got null/);
    expect(() => call({ patiense: 3, foldr: "a" })).toThrow(/has no option "patiense", "foldr"/);
    expect(() => call({})).toThrow(/requires .*, got undefined\.$/);
  },
);
