/** What is wrong on a command line is told in the words of its options, with exit code 2 and before anything is written. */
import { access, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { cli } from "./made.ts";

let root: string;
let model: string;
let images: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rootstock-mistakes-"));
  process.env["ROOTSTOCK_CACHE"] = join(root, "cache");
  model = await writeTinyModel(join(root, "tiny.onnx"));
  images = await writeColorImages(join(root, "images"), 15);
});

describe("mistakes", () => {
  test.each([
    [[], 2, "Usage"],
    [["fly"], 2, 'unknown command "fly"'],
    [["trian"], 2, "Did you mean train?"],
    [["train"], 2, "one folder or table of images"],
    [["train", "a", "b", "--model", "m"], 2, "one folder"],
    [["train", "photos"], 2, "--model"],
    [["train", "photos", "--model", "m.onnx", "--epochs", "zero"], 2, "--epochs"],
    [["train", "photos", "--model", "m.onnx", "--seed", "-1"], 2, '--seed requires a whole number from 0, got "-1"'],
    [["train", "photos", "--model", "m.onnx", "--threads", "-1"], 2, "--threads requires a whole number from 1 to 256"],
    [["train", "photos", "--model", "m.onnx", "--label-smoothing", "-0.1"], 2, "--label-smoothing requires a number"],
    [
      ["train", "photos", "--model", "m.onnx", "--label-smoothing", "1"],
      2,
      "--label-smoothing requires a number from 0 and below 1, got 1.",
    ],
    [
      ["train", "photos", "--model", "m.onnx", "--label-smoothing", "0.1", "--loss", "binary-cross-entropy"],
      2,
      "--label-smoothing requires the loss",
    ],
    [
      ["train", "photos", "--model", "m.onnx", "--batch-norm", "train"],
      2,
      "--batch-norm train requires layers that train, got --unfreeze head",
    ],
    [
      ["train", "photos", "--model", "m.onnx", "--layer-decay", "0.5", "--strategy", "head"],
      2,
      "--layer-decay requires layers that train, got --strategy head",
    ],
    [
      ["train", "photos", "--model", "m.onnx", "--optimizer", "adam:betas=0.9"],
      2,
      "--optimizer adam: betas requires 2",
    ],
    [["train", "photos", "--model", "m.onnx", "--loss", "distillation"], 2, "--loss distillation requires the prob"],
    [["train", "photos", "--model", "m.onnx", "--monitor", "rocAuc"], 2, "--monitor requires a measure"],
    [["train", "photos", "--model", "m.onnx", "--fold", "1"], 2, "--fold requires --folds"],
    [["train", "photos", "--model", "m.onnx", "--val", "-0.2"], 2, "--val requires a folder, a table, or a fraction"],
    [["predict", "m.onnx"], 2, "image files or folders"],
    [["evaluate", "m.onnx"], 2, "one folder"],
    [["inspect"], 2, "one model file"],
    [["cache", "burn"], 2, "clear"],
    [["inspect", "absent.onnx"], 1, "no model file at absent.onnx"],
    [["train", "absent", "--model", "m.onnx"], 1, "absent"],
  ] as const)("%j ends with %d", async (args, code, message) => {
    const outcome = await cli(args);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stdout).toBe("");
  });
});

describe("with images and a network", () => {
  test("what the images or the network refuse is a usage error in the words of the options, and leaves no run", async () => {
    const out = join(root, "refused");
    const refused = [
      [
        ["--class-weights", "1,2"],
        "--class-weights requires a number for each of the 3 classes, in the order blue, gr",
      ],
      [["--monitor", "mae"], "--monitor requires a measure of single-label data, loss, accuracy"],
      [["--strategy", "last:9"], "--strategy last:9: required is last:N with N from 1 to"],
      [["--unfreeze", "last:9"], "--unfreeze last:9: required is last:N with N from 1 to"],
      [["--test", "0.6", "--val", "0.5"], "--val and --test require less than 1 together"],
      [["--folds", "3", "--fold", "7"], "--fold requires a whole number from 0 to 2, got 7"],
      [["--loss", "cross-entropy:classWeights=1|2"], "--loss cross-entropy: classWeights requires 3 numbers"],
      [["--loss", "huber"], "--loss requires one for single-label data"],
    ] as const;
    for (const [args, message] of refused) {
      const { code, stderr } = await cli(["train", images, "--model", model, ...args, "--out", out, "--epochs", "1"]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
      expect(stderr).toContain("See: rootstock train --help");
    }
    await expect(access(out)).rejects.toThrow();
  });

  test("--memory-limit is what a step is held to, and what is named where it is too little", async () => {
    const args = ["train", images, "--model", model, "--unfreeze", "all", "--epochs", "1", "--no-check", "--no-cache"];
    const limited = (gigabytes: string) =>
      cli([...args, "--memory-limit", gigabytes, "--out", join(root, `limit-${gigabytes}`)]);
    const [nothing, little, enough] = [await limited("1e-6"), await limited("1e-5"), await limited("0.1")];
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining("or raise --memory-limit") });
    expect(little).toMatchObject({ code: 0, stderr: expect.stringMatching(/activations .* at once/) });
    expect(enough).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/at once/) });
  });
});
