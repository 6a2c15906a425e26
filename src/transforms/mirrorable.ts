/** Whether an image keeps its label when it is mirrored left to right, as far as the names of the classes tell. */

/** Words of names whose images mean something else, or nothing, in a mirror. */
const HANDED_WORDS: ReadonlySet<string> = new Set([
  ...["left", "right", "leftward", "rightward", "leftwards", "rightwards", "lefthand", "righthand"],
  ...["arrow", "arrows", "clockwise", "counterclockwise", "anticlockwise", "east", "west", "eastbound", "westbound"],
  ...["text", "letter", "letters", "digit", "digits", "number", "numbers", "numeral", "character", "characters"],
  ...["alphabet", "word", "handwriting", "handwritten", "barcode", "qr", "font"],
]);

const NUMBER_WORDS: ReadonlySet<string> = new Set("zero one two three four five six seven eight nine".split(" "));

/** Arrows, angle brackets and slashes. */
const HANDED_SYMBOL =
  /[\u2190\u2192\u2194\u2196-\u2199\u219a-\u21ff\u27f5-\u27ff\u2b05\u2b95\u{1f519}-\u{1f51c}<>/\\()[\]{}«»‹›]/u;

/** An answer with its reason. */
export interface Mirrorable {
  readonly mirrorable: boolean;
  /** One sentence for people: what decided, and how to decide otherwise. */
  readonly reason: string;
}

/**
 * Says whether mirroring keeps the labels of classes with these names.
 *
 * No where two or more names are numbers or single letters (digits, characters, signs by number), and where a name has
 * a word such as "left" or "arrow" or a symbol such as an arrow. English only: other names are taken as mirrorable.
 */
export function mirrorable(classes: readonly string[]): Mirrorable {
  const refused = (what: string): Mirrorable => ({
    mirrorable: false,
    reason: `Images are not mirrored: ${what}. Where a mirrored image keeps its label, add horizontal-flip.`,
  });
  const symbol = classes.find((name) => HANDED_SYMBOL.test(name));
  if (symbol !== undefined) return refused(`the class "${symbol}" is named by a symbol that has a direction`);
  for (const name of classes) {
    const word = wordsOf(name).find((part) => HANDED_WORDS.has(part));
    if (word !== undefined) return refused(`the class "${name}" has the word "${word}" in its name`);
  }
  const numbers = classes.filter(
    (name) => /^\p{Nd}+$/u.test(name.trim()) || NUMBER_WORDS.has(name.trim().toLowerCase()),
  );
  if (numbers.length > 1) return refused(`${named(numbers)} are numbers, and digits have no mirror image`);
  const letters = classes.filter((name) => /^\p{L}$/u.test(name.trim().normalize("NFC")));
  if (letters.length > 1) return refused(`${named(letters)} are single letters, which have no mirror image`);
  return {
    mirrorable: true,
    reason: "Half of the images are mirrored left to right: no class name speaks of a side, a digit or a letter.",
  };
}

/** The words of "turn-left", "turnLeft", "turn_left2" and "Turn left": turn, left. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}]+/u);
}

function named(classes: readonly string[]): string {
  const shown = classes.slice(0, 3).map((name) => `"${name}"`);
  return `the classes ${shown.join(", ")}${classes.length > 3 ? ` and ${classes.length - 3} more` : ""}`;
}
