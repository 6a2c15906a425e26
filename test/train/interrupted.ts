/** Runs that are cut short and go on, and everything in which their results could differ. */
import { createHash } from "node:crypto";
import { cp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Dataset } from "../../src/data/sample.ts";
import type { Model } from "../../src/models/model.ts";
import type { Callback } from "../../src/train/callback.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions, Progress } from "../../src/train/options.ts";

/** What trains on what; `options.out` is the run's folder. */
export interface Job {
  readonly model: Model;
  readonly data: Dataset;
  readonly options: FineTuneOptions & { readonly out: string };
}

/** After a step, an epoch or the end of a phase, of the phase with this name or of any. */
export interface Moment {
  readonly phase?: string | undefined;
  readonly step?: number | undefined;
  readonly epoch?: number | undefined;
  readonly end?: boolean | undefined;
  /** Whether the run is left as it is at that moment, as if its process had died: nothing is saved any more. */
  readonly dies?: boolean | undefined;
}

/** Runs until the moment has come, and a last time to the end; each run goes on with the one before. */
export async function continued(job: Job, moments: readonly Moment[]): Promise<Outcome> {
  for (const [i, moment] of moments.entries()) await cutShort(job, moment, i > 0);
  return await finished(job, moments.length > 0);
}

/** Runs until the moment has come. Returns what it told. */
export async function cutShort(job: Job, moment: Moment, resume = false): Promise<readonly Progress[]> {
  const { model, data, options } = job;
  const controller = new AbortController();
  const told: Progress[] = [];
  const onProgress = (event: Progress) => told.push(event);
  const { callbacks = [] } = options;
  const grave = `${options.out}-as-it-was`;
  const stopper = stopperAt(moment, async () => {
    if (!moment.dies) return controller.abort();
    await cp(options.out, grave, { recursive: true });
    throw new Error(DEATH);
  });
  await expect(
    fineTune(model, data, {
      ...options,
      callbacks: [...callbacks, stopper],
      signal: controller.signal,
      resume,
      onProgress,
    }),
  ).rejects.toMatchObject(
    moment.dies
      ? { message: expect.stringContaining(DEATH) }
      : { code: "ABORTED", message: expect.stringContaining(`go on with the same call, out: "${options.out}"`) },
  );
  if (moment.dies) {
    await rm(options.out, { recursive: true });
    await rename(grave, options.out);
    await rm(join(options.out, "run.lock"));
  }
  expect(await readdir(options.out)).toContain("checkpoints");
  expect(await readdir(options.out)).not.toContain("run.lock");
  return told;
}

const DEATH = "the process has died";

function stopperAt({ phase, step, epoch, end = false }: Moment, stop: () => Promise<void>): Callback {
  let now = "";
  return {
    name: "stopper",
    onPhaseStart: (report) => {
      now = report.phase;
    },
    onStep: async (report) => {
      if (report.step === step && (phase ?? now) === now) await stop();
    },
    onEpochEnd: async (report) => {
      if (report.epoch === epoch && (phase ?? now) === now) await stop();
    },
    onPhaseEnd: async () => {
      if (end && (phase ?? now) === now) await stop();
    },
  };
}

/** All that a finished run has measured and written, but for times. */
export type Outcome = Awaited<ReturnType<typeof finished>>;

/** Runs to the end. */
export async function finished({ model, data, options }: Job, resume = false) {
  const run = await fineTune(model, data, { ...options, resume });
  const read = (name: string) => readFile(join(options.out, name));
  const { seconds: _, featuresFromCache: __, ...result } = JSON.parse(String(await read("result.json")));
  await run.model.release();
  return {
    history: run.history,
    phases: run.phases,
    baseline: run.baseline,
    temperature: run.temperature,
    result,
    lines: String(await read("metrics.jsonl").catch(() => "")), // a probe has none
    model: createHash("sha256")
      .update(await read("model.onnx"))
      .digest("hex"),
    files: (await readdir(options.out)).sort(),
  };
}
