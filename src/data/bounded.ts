/** Many waits at a time, but not all at once. */

/** Applies an async function to all items, at most `limit` at a time; results are in the items' order. */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  apply: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const entries = items.entries(); // shared by all workers: each takes the next item
  const work = async (): Promise<void> => {
    for (const [i, item] of entries) results[i] = await apply(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
