import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/arguments.ts";
import { namedChoice } from "../../src/cli/named-option.ts";

const CHOICES = ["sgd", "multi-step"] as const;
const read = (text: string | undefined) => namedChoice("option", text, CHOICES);

test.each<[string | undefined, unknown]>([
  [undefined, undefined],
  ["sgd", { name: "sgd" }],
  ["sgd:momentum=0.95", { name: "sgd", momentum: 0.95 }],
  ["sgd:momentum=0.95,nesterov=true", { name: "sgd", momentum: 0.95, nesterov: true }],
  ["sgd: momentum=-1e-3 , nesterov=false", { name: "sgd", momentum: -0.001, nesterov: false }],
  ["multi-step:milestones=3|6|8,gamma=.5", { name: "multi-step", milestones: [3, 6, 8], gamma: 0.5 }],
  ["sgd:weight-decay=0,weightDecay2=1", { name: "sgd", weightDecay: 0, weightDecay2: 1 }],
  ["sgd:constructor=1", { name: "sgd", constructor: 1 }], // the library refuses names that it does not know
])("%s is %o", (text, choice) => {
  expect(read(text)).toEqual(choice);
});

test.each([
  ["adam", '--option requires one of sgd, multi-step, got "adam".'],
  ["SGD", 'got "SGD".'],
  ["", 'got "".'],
  [":momentum=1", 'got "".'],
  ["sgd:", '--option requires a form such as name:key=0.5,other=true, got "sgd:".'],
  ["sgd:momentum", "requires a form"],
  ["sgd:momentum=", "requires a form"],
  ["sgd:momentum=much", "requires a form"],
  ["sgd:momentum=NaN", "requires a form"],
  ["sgd:momentum=Infinity", "requires a form"],
  ["sgd:=1", "requires a form"],
  ["sgd:momentum=0.9,", "requires a form"],
  ["sgd:momentum=1||2", "requires a form"],
  ["sgd:momentum=1|true", "requires a form"],
  ["sgd:name=2", "requires a form"],
  ["sgd:__proto__=1", "requires a form"],
  ["sgd:momentum=1:nesterov=true", "requires a form"],
])("%s is a mistake on the command line", (text, message) => {
  expect(() => read(text)).toThrow(UsageError);
  expect(() => read(text)).toThrow(message);
});
