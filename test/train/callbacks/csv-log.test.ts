import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import type { EpochReport } from "../../../src/train/callback.ts";
import { csvLog } from "../../../src/train/callbacks/csv-log.ts";
import { epochReport, phaseReport, recordedControl, scratchFolder } from "./reports.ts";

const { control } = recordedControl();

async function log(file: string, reports: readonly EpochReport[], from?: { state: unknown; epochsDone: number }) {
  const callback = csvLog({ file });
  if (from) callback.restore?.(JSON.parse(JSON.stringify(from.state)));
  await callback.onPhaseStart?.(phaseReport({ epochsDone: from?.epochsDone ?? 0 }), control);
  for (const report of reports) await callback.onEpochEnd?.(report, control);
  await callback.onPhaseEnd?.();
  return callback.state?.();
}

test("has one row per epoch, with a column per measure", async () => {
  const file = join(scratchFolder(), "log.csv");
  const validation = { loss: 0.1, accuracy: 1 };
  await log(
    file,
    [epochReport(1), epochReport(2)].map((report) => ({ ...report, validation, best: report.epoch === 1 })),
  );
  expect(readFileSync(file, "utf8")).toBe(
    "phase,epoch,steps,learningRate,trainLoss,best,validation.loss,validation.accuracy\n" +
      "head,1,10,0.1,1,true,0.1,1\nhead,2,20,0.1,0.5,false,0.1,1\n",
  );
});

/** What an independent reader of CSV sees. */
const rows = (file: string) => parse(readFileSync(file), { columns: true }) as Record<string, string>[];

test("measures that come later are columns that are empty above; those that go leave empty fields", async () => {
  const file = join(scratchFolder(), "log.csv");
  await log(file, [
    epochReport(1),
    epochReport(2, { phase: "last", validation: { loss: 1, ece: 0.5, ['odd, "name"\n']: 3 } }),
    epochReport(3, { phase: "last", validation: { ece: Number.NaN } }),
  ]);
  expect(rows(file)).toMatchObject([
    { phase: "head", "validation.loss": "2", "validation.ece": "", 'validation.odd, "name" ': "" },
    { phase: "last", "validation.loss": "1", "validation.ece": "0.5", 'validation.odd, "name" ': "3" },
    { phase: "last", "validation.loss": "", "validation.ece": "NaN" },
  ]);
});

test("a run that is broken off and continued has the rows of one that was not", async () => {
  const folder = scratchFolder();
  const wide = { validation: { loss: 1, ece: 0.5 }, phase: 'layer4.*, "all"' };
  const reports = [1, 2, 3, 4, 5].map((epoch) => epochReport(epoch, epoch > 2 ? wide : {}));
  await log(join(folder, "whole.csv"), reports);
  const whole = readFileSync(join(folder, "whole.csv"), "utf8");
  const all = [0, 1, 2, 3, 4, 5];
  for (const [checkpoint, killed] of all.flatMap((k) =>
    all.filter((end) => end >= k).map((end) => [k, end] as const),
  )) {
    const file = join(folder, `${checkpoint}-${killed}.csv`);
    const first = csvLog({ file });
    await first.onPhaseStart?.(phaseReport(), control);
    for (const report of reports.slice(0, checkpoint)) await first.onEpochEnd?.(report, control);
    const state = first.state?.();
    for (const report of reports.slice(checkpoint, killed)) await first.onEpochEnd?.(report, control);
    await log(file, reports.slice(checkpoint), { state, epochsDone: checkpoint });
    const columns = (text: string) => parse(text, { columns: true }) as unknown[];
    const text = readFileSync(file, "utf8");
    // Epochs that are gone leave the column that they brought.
    if (checkpoint === 0 || checkpoint > 2 || killed <= 2) expect(text).toBe(whole);
    expect(columns(text)).toEqual(columns(whole));
  }
});
