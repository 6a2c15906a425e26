/** Names like a given one, for messages about names that do not exist. */

/** Longer words are not compared: nobody types them. */
const MAX_LENGTH = 100;

/** The names that differ from `word` by two letters, or a third of them (Levenshtein distance), or start with it. */
export function nearest(word: string, names: readonly string[]): string[] {
  if (word.length > MAX_LENGTH) return [];
  const tolerance = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  return names.filter(
    (name) =>
      (word.length > 1 && name.startsWith(word)) ||
      (Math.abs(name.length - word.length) <= tolerance && distance(word, name) <= tolerance),
  );
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
