/** How the benchmark programs summarize and print numbers. */
import { loadavg } from "node:os";

export function load() {
  return loadavg()[0].toFixed(2);
}

export function median(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function show(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
