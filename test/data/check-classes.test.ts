import { expect, test } from "vitest";
import { checkClasses } from "../../src/data/check-classes.ts";

test.each([
  [["a", "b"], undefined],
  [[], /at least one class, got none/],
  [["a", "a"], /different classes, got "a" twice/],
  [["tulp"], /names "tulp", but photos has no images of that\. Closest classes: "tulip"\./],
  [["x\u001b"], /names "x\\u\{1b\}", .*It has a, b, tulip\./],
])("%j", (asked, message) => {
  const check = () => checkClasses(asked, ["a", "b", "tulip"], "photos");
  if (message === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(message);
});
