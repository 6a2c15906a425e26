/** docs/training.md: its code blocks run as they are written, and the defaults that it states are those of the code. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { LOSS_NAMES, OPTIMIZER_NAMES, SCHEDULE_NAMES } from "../src/cli/part-options.ts";
import { trainingOptions } from "../src/cli/training-options.ts";
import { DEFAULT_LOSSES, LOSS_OPTION_NAMES } from "../src/losses/table.ts";
import { SCHEDULES } from "../src/optim/schedule.ts";
import { OPTIMIZERS } from "../src/optim/table.ts";
import { EPOCH_MEASURES } from "../src/train/epoch-measures.ts";
import { recipe } from "../src/train/recipe.ts";
import { temporaryFolder } from "./data/made.ts";
import { writeColorImages, writeTinyModel } from "./models/tiny.ts";

test("its code blocks run and leave what they say", async () => {
  const blocks = [...(await readFile("docs/training.md", "utf8")).matchAll(/```js\n(.*?)```/gs)].map(
    ([, code]) => code!,
  );
  expect(blocks).toHaveLength(2);
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "rootstock"));
  await writeColorImages(join(folder, "photos"), 20);
  await writeTinyModel(join(folder, "mobilenetv2.onnx"));
  const env = { ...process.env, ROOTSTOCK_CACHE: join(folder, "cache") };
  const outputs: string[] = [];
  for (const [i, code] of blocks.entries()) {
    await writeFile(join(folder, `example-${i}.mjs`), code);
    const { stdout } = await promisify(execFile)(process.execPath, [`example-${i}.mjs`], { cwd: folder, env });
    outputs.push(stdout);
  }
  expect(outputs[0]).toMatch(/^[01](\.\d+)? \[ [\d.]+, [\d.]+ \] [01](\.\d+)?\n$/);
  expect(await readdir(join(folder, "runs", "photos"))).toContain("model.onnx");
  const header = (await readFile(join(folder, "epochs.csv"), "utf8")).split("\n")[0];
  expect(header).toContain("validation.accuracy");
  expect(await readdir(join(folder, "weights"))).not.toEqual([]);
  expect(await readdir(join(folder, "logs"))).toEqual(["1-head"]);
}, 120_000);

/** The rows of the page's table with this header, cells without the backslashes before bars. */
async function tableOf(header: string): Promise<readonly (readonly string[])[]> {
  const lines = (await readFile("docs/training.md", "utf8")).split("\n");
  const start = lines.findIndex((line) => cellsOf(line)[0] === header);
  expect({ header, start }).not.toEqual({ header, start: -1 });
  const end = lines.findIndex((line, i) => i > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

const named = (name: string): string => `\`${name}\``;

describe("the defaults", () => {
  test("of options are those of recipes, and every option of training is there", async () => {
    const rows = await tableOf("option");
    const names = rows.flatMap(([cell]) => [...cell!.matchAll(/--([\w-]+)/g)].map(([, name]) => name!));
    expect(names.sort()).toEqual(
      Object.keys(trainingOptions)
        .filter((name) => name !== "unfreeze")
        .sort(),
    );
    const recipes = [{}, { unfreeze: "all" }].map((options) => recipe(options, 1000));
    const told = new Set(["strategy", "epochs", "microBatch", "learningRate", "loss", "patience", "memoryLimit"]);
    const kept = ["checkpointSeconds", "keepCheckpoints"]; // below
    for (const [cell, ...values] of rows) {
      const setting = /`(?:--)?([\w-]+)`/
        .exec(cell!)![1]!
        .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      if (told.has(setting) || kept.includes(setting)) continue;
      for (const [i, value] of values.entries()) {
        if (value === "–") continue;
        const real: unknown = Object.entries(recipes[i]!).find(([name]) => name === setting)?.[1];
        expect({ setting, value: value.replace(/^`([\w-]+)`.*|^([\d.]+), .*/, "$1$2") }).toEqual({
          setting,
          value: stated(real, value === "off" || value === "on"),
        });
      }
    }
    expect(recipe({}, 1000, { task: "regression" }).optimizer).toBe("sgd");
    const options = await documented("src/train/options.ts", "FineTuneOptions");
    for (const name of kept) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      expect(rows).toContainEqual([named(flag), options.get(name), options.get(name)]);
    }
  });

  test("that are computed are as they are told", () => {
    const epochs = (samples: number, unfreeze: string) => recipe({ unfreeze }, samples);
    for (const [unfreeze, updates, least, most] of [
      ["head", 600, 20, 100],
      ["all", 300, 5, 30],
    ] as const) {
      const { batchSize } = epochs(1, unfreeze);
      expect(epochs(1e6, unfreeze).epochs).toBe(least);
      expect(epochs(1, unfreeze).epochs).toBe(most);
      expect(epochs((batchSize * updates) / (least + 2), unfreeze).epochs).toBe(least + 2);
    }
    expect([recipe({ epochs: 200 }, 10).patience, recipe({ epochs: 20 }, 10).patience]).toEqual([40, 10]);
    expect(recipe({}, 10)).toMatchObject({ phases: ["head"], microBatch: 0 });
  });

  test("of optimizers", async () => {
    const pair = ({ learningRate, weightDecay }: { learningRate: number; weightDecay: number }) =>
      `${plain(learningRate)}, ${plain(weightDecay)}`;
    const rows = OPTIMIZER_NAMES.map((name) => {
      const { create, optionNames, regression, backbone, ...head } = OPTIMIZERS[name];
      const settings = Object.entries(create().options).filter(([key]) => key !== "weightDecay");
      expect(settings.map(([key]) => key).sort()).toEqual(optionNames.filter((key) => key !== "weightDecay").sort());
      const shown = settings.map(([key, value]) => `${named(key)} ${Array.isArray(value) ? value.join("|") : value}`);
      return [named(name), shown.join(", "), pair(head), pair(backbone), pair(regression)];
    });
    expect(await tableOf("optimizer")).toEqual(rows);
  });

  test("of schedules", async () => {
    const rows = SCHEDULE_NAMES.map(async (name) => {
      const [file, type, keys] =
        name === "plateau"
          ? ["train/callbacks/reduce-on-plateau", "ReduceOnPlateauOptions", undefined]
          : ([`optim/schedules/${FILES[name] ?? name}`, TYPES[name] ?? "", SCHEDULES[name].optionNames] as const);
      if (name === "constant") return [named(name), "–"];
      const defaults = await documented(`src/${file}.ts`, type);
      const shown = (keys ?? [...defaults.keys()]).map((key) => `${named(key)} ${defaults.get(key)}`);
      return [named(name), shown.join(", ")];
    });
    expect(await tableOf("schedule")).toEqual(await Promise.all(rows));
  });

  test("of losses", async () => {
    const tasks = { "single-label": "one class per image", "multi-label": "several labels", regression: "numbers" };
    const usual = new Map(Object.entries(DEFAULT_LOSSES).map(([task, name]) => [name, task as keyof typeof tasks]));
    const rows = LOSS_NAMES.map(async (name) => {
      const task = usual.get(name as typeof DEFAULT_LOSSES.regression);
      const keys = LOSS_OPTION_NAMES[name].filter((key) => key !== "soft");
      const [file, type] = LOSS_TYPES[name] ?? ["", ""];
      const defaults = keys.length === 0 ? new Map<string, string>() : await documented(`src/losses/${file}.ts`, type);
      const shown = keys.map((key) => `${named(key)} ${defaults.get(key) ?? "none"}`);
      return [named(name), task === undefined ? "" : tasks[task], shown.join(", ") || "–"];
    });
    expect(await tableOf("loss")).toEqual(await Promise.all(rows));
  });

  test("what can be monitored", async () => {
    const rows = (await tableOf("data")).map(([, measures]) => measures);
    expect(rows).toEqual(Object.values(EPOCH_MEASURES).map((measures) => Object.keys(measures).map(named).join(", ")));
  });
});

/** Where the options of schedules and losses are declared, where their names do not say it. */
const FILES: Readonly<Record<string, string>> = {
  ...{ step: "step-decay", "multi-step": "step-decay", exponential: "step-decay" },
};
const TYPES: Readonly<Record<string, string>> = {
  ...{ step: "StepDecayOptions", "multi-step": "MultiStepOptions", exponential: "ExponentialOptions" },
  ...{ polynomial: "PolynomialOptions", cosine: "CosineOptions", "cosine-restarts": "CosineRestartsOptions" },
  "one-cycle": "OneCycleOptions",
};
const LOSS_TYPES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "cross-entropy": ["softmax-loss", "SoftmaxLossOptions"],
  "binary-cross-entropy": ["binary-cross-entropy", "BinaryCrossEntropyOptions"],
  focal: ["focal", "FocalOptions"],
  "binary-focal": ["focal", "BinaryFocalOptions"],
  huber: ["regression", "HuberOptions"],
};

/** The defaults in the comments of an options type and of what it extends in the same place; test/defaults.test.ts compares them with the code. */
async function documented(file: string, type: string): Promise<Map<string, string>> {
  const text = await readFile(file, "utf8");
  const [, base, body] = new RegExp(`interface ${type}(?: extends (\\w+))? \\{\\n(.*?)\\n\\}`, "s").exec(text) ?? [];
  expect({ file, type, found: body !== undefined }).toEqual({ file, type, found: true });
  const own = body!.matchAll(/@default ([^\n]+?)(?: \*\/)?\n(?:(?! {2}readonly)[^\n]*\n)*? {2}readonly (\w+)\?/g);
  const inherited = base === "SoftmaxLossOptions" ? await documented("src/losses/softmax-loss.ts", base) : [];
  return new Map([...inherited, ...[...own].map(([, value, name]) => [name!, value!] as const)]);
}

/** A recipe's value as the page has it. */
function stated(value: unknown, asSwitch: boolean): string {
  if (asSwitch) return value === 0 || value === false ? "off" : "on";
  return typeof value === "object" && value !== null && "measure" in value ? String(value.measure) : String(value);
}

/** Without an exponent: 0.00004. */
function plain(value: number): string {
  return value.toFixed(10).replace(/\.?0+$/, "");
}
