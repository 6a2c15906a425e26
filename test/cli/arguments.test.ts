import { describe, expect, test } from "vitest";
import { nearest, type OptionTable, parseOptions, UsageError } from "../../src/cli/arguments.ts";

const table = {
  epochs: { kind: "number", value: "<n>", min: 1, whole: true, help: "" },
  rate: { kind: "number", value: "<x>", min: 0, whole: false, help: "" },
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

describe("mistakes are usage errors that say what can be written", () => {
  test.each([
    ["--epoch 3", "unknown option --epoch. Did you mean --epochs?"],
    ["--zzzzzz", "unknown option --zzzzzz."],
    ["--epochs 0", '--epochs requires a whole number from 1, got "0"'],
    ["--epochs 1.5", "--epochs requires a whole number"],
    ["--epochs ten", 'got "ten"'],
    ["--rate -1", "--rate"],
    ["--epochs", "--epochs"],
    ["--name lion", '--name requires one of sgd, adam, got "lion"'],
    ["--json=1", "--json"],
    ["--out=", "--out requires <dir>"],
  ])("%s", (line, message) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(message);
  });
});

test("near names are those with a typing mistake or the rest missing", () => {
  const names = ["train", "predict", "inspect"];
  expect([nearest("trian", names), nearest("pred", names), nearest("inspekt", names), nearest("fly", names)]).toEqual([
    ["train"],
    ["predict"],
    ["inspect"],
    [],
  ]);
});
