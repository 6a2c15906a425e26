import { describe, expect, test } from "vitest";
import { inOptionNames, type OptionTable, parseOptions, UsageError } from "../../src/cli/arguments.ts";
import { train } from "../../src/cli/commands/train.ts";

const table = {
  epochs: { kind: "number", value: "<n>", min: 1, whole: true, help: "" },
  rate: { kind: "number", value: "<x>", min: 0, whole: false, help: "" },
  shift: { kind: "number", value: "<x>", min: -10, whole: false, help: "" },
  name: { kind: "text", value: "<name>", choices: ["sgd", "adam"], help: "" },
  out: { kind: "text", value: "<dir>", help: "" },
  json: { kind: "flag", help: "" },
} as const satisfies OptionTable;
const parse = (line: string) => parseOptions(line.split(" ").filter(Boolean), table);

test("values are typed, positionals keep their order and stay text", () => {
  expect(parse("007 --epochs 3 b.jpg --rate=0.5 --name sgd --json")).toEqual({
    positionals: ["007", "b.jpg"],
    options: { epochs: 3, rate: 0.5, name: "sgd", out: undefined, json: true },
  });
});

test("after -- everything is a file", () => {
  expect(parse("-- --json -x.jpg").positionals).toEqual(["--json", "-x.jpg"]);
});

test("a negative number after an option is its value, in either spelling", () => {
  expect(parse("--shift -1 --out -0.5").options).toMatchObject({ shift: -1, out: "-0.5" });
  expect(parse("--shift -1e-3").options.shift).toBe(-1e-3);
  expect(parse("--shift=-.5").options.shift).toBe(-0.5);
  expect(parse("a -- --shift -1").positionals).toEqual(["a", "--shift", "-1"]);
});

test("messages name settings as options are typed", () => {
  const options = { "label-smoothing": table.rate, loss: table.name, "batch-norm": table.name };
  expect(inOptionNames("labelSmoothing requires the loss cross-entropy, got focal.", options)).toBe(
    "--label-smoothing requires the loss cross-entropy, got focal.",
  );
  expect(inOptionNames('loss requires batchNorm, not relabelSmoothing or "--loss".', options)).toBe(
    '--loss requires --batch-norm, not relabelSmoothing or "--loss".',
  );
});

describe("of the options of train", () => {
  test.each([
    [
      "cutMix requires classes, got a regression. Use mixup.",
      "--cut-mix requires classes, got a regression. Use mixup.",
    ],
    [
      'layerDecay requires layers that train, got unfreeze "head". Unfreeze more, such as "last", or leave it out.',
      '--layer-decay requires layers that train, got --unfreeze head. Unfreeze more, such as "last", or leave it out.',
    ],
    [
      'batchNorm "affine" requires layers that train, got strategy "probe". Use "freeze".',
      '--batch-norm affine requires layers that train, got --strategy probe. Use "freeze".',
    ],
    [
      "3 MB is the limit. Unfreeze less, or raise memoryLimit.",
      "3 MB is the limit. Unfreeze less, or raise --memory-limit.",
    ],
    ["fold requires a whole number from 0 to 4, got 7.", "--fold requires a whole number from 0 to 4, got 7."],
    ["validation and test require less than 1 together", "--val and --test require less than 1 together"],
    ["test must not be given with splits, which decide", "--test must not be given with --splits, which decide"],
    ["a has train, so validation must not be given as well", "a has train, so --val must not be given as well"],
    ["targets must not be given with labelColumn. Leave", "--targets must not be given with --label-column. Leave"],
  ])("%s", (text, typed) => {
    expect(inOptionNames(text, train.options)).toBe(typed);
  });

  test.each([
    ['optimizer sgd takes momentum, nesterov, weightDecay, got "betas".'],
    ["loss cross-entropy: classWeights requires 3 numbers, one for each class, got 2."],
    ["schedule plateau: minDelta requires a number from 0, got -3."],
  ])("settings of a part keep the names under which they are typed: %s", (text) => {
    expect(inOptionNames(text, train.options)).toBe(`--${text}`);
  });

  test.each([
    ["cannot use /data/imageSize/x.png as the run's folder"],
    ["there is no file batchSize.json, C:\\batchSize or batchSize/a"],
    ['got "layerDecay", labels and a test of classes'],
  ])("what only looks like one stays: %s", (text) => {
    expect(inOptionNames(text, train.options)).toBe(text);
  });
});

describe("mistakes are usage errors that say what can be written", () => {
  test.each([
    ["--epoch 3", "unknown option --epoch. Did you mean --epochs?"],
    ["--zzzzzz", "unknown option --zzzzzz."],
    ["--epochs 0", '--epochs requires a whole number from 1, got "0"'],
    ["--epochs 1.5", "--epochs requires a whole number"],
    ["--epochs ten", 'got "ten"'],
    ["--rate -1", '--rate requires a number from 0, got "-1"'],
    ["--epochs -1", '--epochs requires a whole number from 1, got "-1"'],
    ["--rate -Infinity", 'got "-Infinity"'],
    ["--json -1", "unknown option --1"],
    ["--epochs --json", "--epochs"],
    ["--epochs", "--epochs"],
    ["--name lion", '--name requires one of sgd, adam, got "lion"'],
    ["--json=1", "--json"],
    ["--out=", "--out requires <dir>"],
  ])("%s", (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });
});
