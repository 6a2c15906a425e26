/** The option of test-time augmentation, and a word of warning where a mirror image means something else. */
import { printable } from "../graph/printable.ts";
import type { Model, TestTimeAugmentation } from "../models/model.ts";
import { mirrorable } from "../transforms/mirrorable.ts";
import type { OptionTable } from "./arguments.ts";
import type { Output } from "./output.ts";
import { choice } from "./session-options.ts";

const KINDS: Readonly<Record<TestTimeAugmentation, true>> = { none: true, flip: true };

export const ttaOption = {
  tta: {
    kind: "text",
    value: "<kind>",
    choices: Object.keys(KINDS),
    help: "test-time augmentation: flip averages each image with its mirror image, default none",
  },
} as const satisfies OptionTable;

/** What was asked for. Warns where the names of the classes speak of sides, digits or letters. */
export function testTimeAugmentation(
  asked: string | undefined,
  { name, labels = [] }: Model,
  output: Output,
): TestTimeAugmentation | undefined {
  const kind = choice(asked, KINDS);
  if (kind === "flip" && !mirrorable(labels).mirrorable)
    output.warn(
      `--tta flip averages with mirror images, but by their names some classes of ${printable(name)} mean something else in a mirror: a side, a direction, a digit or a letter`,
    );
  return kind;
}
