/**
 * Looks at JSON text before it is parsed: a few megabytes of brackets would become gigabytes of lists. Only brackets
 * and commas outside of strings are counted; whether the text is JSON at all is for the parser to say.
 */

/** What a header of weights may have at most: networks of 10^5 tensors have less. */
export interface JsonLimits {
  /** Lists and objects within each other. @default 8 */
  readonly depth?: number | undefined;
  /** Values of all lists and objects together. @default 2 ** 21 */
  readonly values?: number | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING = new Set([0x5b, 0x7b]); // [ {
const CLOSING = new Set([0x5d, 0x7d]); // ] }

/** Why UTF-8 text is too much to parse, or undefined if it is not. The answer reads on from the text's name. */
export function jsonExcess(
  bytes: Uint8Array,
  { depth: maxDepth = 8, values: maxValues = 2 ** 21 }: JsonLimits = {},
): string | undefined {
  let depth = 0;
  let values = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === COMMA) values++;
    else if (OPENING.has(byte)) {
      values++;
      if (++depth > maxDepth) return `nests more than ${maxDepth} lists or objects`;
    } else if (CLOSING.has(byte)) depth--;
    if (values > maxValues) return `has more than ${maxValues} values`;
  }
  return undefined;
}

/** The index of the quote that ends the string that starts at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
