/** Names as text: files name nodes, values, sizes and labels as they like, and a terminal obeys some characters. */

/**
 * A name as it can be shown in a line of text: control characters, line ends and marks of direction are written as
 * \u{...}. The zero-width joiner stays: family emoji need it.
 */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\u200d" ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
