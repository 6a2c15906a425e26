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
  ["sgd:nesterov,momentum=0.5", { name: "sgd", nesterov: true, momentum: 0.5 }],
  ["multi-step:milestones=3|6|8,gamma=.5", { name: "multi-step", milestones: [3, 6, 8], gamma: 0.5 }],
  ["multi-step:milestones=3,6, 8,gamma=.5", { name: "multi-step", milestones: [3, 6, 8], gamma: 0.5 }],
  ["multi-step:milestones=[3,6|8],gamma=.5", { name: "multi-step", milestones: [3, 6, 8], gamma: 0.5 }],
  ["multi-step:milestones=3", { name: "multi-step", milestones: [3] }],
  ["sgd:betas=[0.9,0.99]", { name: "sgd", betas: [0.9, 0.99] }],
  ["sgd:weight-decay=0,weightDecay2=1", { name: "sgd", weightDecay: 0, weightDecay2: 1 }],
  ["sgd:class-weights=1,2", { name: "sgd", classWeights: [1, 2] }],
  ["sgd:constructor=1", { name: "sgd", constructor: 1 }], // the library refuses names that it does not know
])("%s is %o", (text, choice) => {
  expect(read(text)).toEqual(choice);
});

test.each([
  ["adam", '--option requires one of sgd, multi-step, got "adam".'],
  ["SGD", 'got "SGD".'],
  ["multistep", 'got "multistep". Did you mean multi-step?'],
  ["", 'got "".'],
  [":momentum=1", 'got "".'],
  ["sgd:", 'requires a form such as name:key=0.5,other=true, got "sgd:", where "" is no key with a value.'],
  ["sgd:momentum", 'where "momentum" is no key with a value.'],
  ["sgd:momentum=", 'where "momentum=" is no key with a value.'],
  ["sgd:momentum=much", '--option sgd: momentum requires a number, got "much".'],
  ["sgd:momentum=NaN", 'momentum requires a number, got "NaN".'],
  ["sgd:momentum=Infinity", 'momentum requires a number, got "Infinity".'],
  ["sgd:momentum=true", 'momentum requires a number, got "true".'],
  ["sgd:momentum=1|2", 'momentum requires a number, got "1|2".'],
  ["sgd:nesterov=1", 'nesterov requires true or false, got "1".'],
  [
    "sgd:betas=0.9",
    'betas requires 2 numbers with | between them, such as "betas=0.9|0.99" (in quotes for the shell), got',
  ],
  ["sgd:betas=0.9,0.99,0.999", "betas requires 2 numbers"],
  ["sgd:betas=0.9|x", 'betas requires 2 numbers with | between them, such as "betas=0.9|0.99"'],
  ["sgd:milestones=1||2", "milestones requires a list of numbers"],
  ["sgd:milestones=[1,2", "milestones requires a list of numbers"],
  ["sgd:=1", 'where "=1" is no key'],
  ["sgd:momentum=0.9,", 'where "" is no key'],
  ["sgd:momentum=0.9,0.5", 'where "0.5" is no key'],
  ["sgd:momentum=0.9,momentum=0.5", "--option sgd: momentum is given twice"],
  ["sgd:weight-decay=0.9,weightDecay=0.5", "weightDecay is given twice"],
  ["sgd:name=2", "requires a form"],
  ["sgd:__proto__=1", "requires a form"],
  ["sgd:momentum=1:nesterov=true", "requires a number"],
])("%s is a mistake on the command line", (text, message) => {
  expect(() => read(text)).toThrow(UsageError);
  expect(() => read(text)).toThrow(message);
});

test("a setting that the choice does not take is named before its value is read, with what it takes", () => {
  const takes = (name: string) => (name === "sgd" ? ["momentum", "nesterov"] : []);
  const strict = (text: string) => namedChoice("option", text, CHOICES, takes);
  expect(strict("sgd:momentum=1")).toEqual({ name: "sgd", momentum: 1 });
  expect(() => strict("sgd:momentun=x")).toThrow(
    '--option sgd takes momentum, nesterov, got "momentun". Did you mean momentum?',
  );
  expect(() => strict("multi-step:gamma=1")).toThrow('--option multi-step takes no settings, got "gamma".');
});

test("text of any size and shape is read or refused in short time", () => {
  const began = performance.now();
  for (const text of [`sgd:betas=${"1,".repeat(20_000)}1`, `sgd:${"a".repeat(1e5)}=1`, `sgd:${",".repeat(1e5)}`]) {
    try {
      read(text);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
    }
  }
  expect(performance.now() - began).toBeLessThan(2000);
});
