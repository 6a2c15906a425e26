import { expect, test } from "vitest";
import { mirrorable } from "../../src/transforms/mirrorable.ts";

test.each([
  [["daisy", "rose", "tulip"]],
  [["cat", "dog"]],
  [["class1", "class2"]], // a number in a name is no digit to be read
  [["a cat", "b dog"]],
  [["leftover", "bright"]], // words, not parts of words
  [["7", "other"]], // one name alone says little
  [["X", "normal"]],
  [["rechts", "links"]], // English only, as documented
  [[]],
])("%j may be mirrored", (classes) => {
  const result = mirrorable(classes);
  expect(result.mirrorable).toBe(true);
  expect(result.reason).toMatch(/mirrored left to right/);
});

test.each([
  [["0", "1", "2", "3"], /"0", "1", "2" and 1 more are numbers/],
  [["00000", "00014"], /are numbers/], // traffic signs by number
  [["٣", "٤"], /are numbers/],
  [["zero", "One"], /are numbers/],
  [["A", "B", "del"], /"A", "B" are single letters/],
  [["б", "в"], /single letters/],
  [["left", "right"], /"left" has the word "left"/],
  [["turn-left", "stop"], /the word "left"/],
  [["turnRight", "stop"], /the word "right"/],
  [["TURN_RIGHT_2", "stop"], /the word "right"/],
  [["arrow up", "circle"], /the word "arrow"/],
  [["handwritten", "printed"], /the word "handwritten"/],
  [["→", "x"], /"→" is named by a symbol/],
  [["⬅️", "stop"], /symbol that has a direction/],
  [["<", "="], /symbol/],
])("%j may not", (classes, reason) => {
  const result = mirrorable(classes);
  expect(result.mirrorable).toBe(false);
  expect(result.reason).toMatch(reason);
  expect(result.reason).toMatch(/add horizontal-flip/);
});
