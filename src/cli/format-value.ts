/** A measured or predicted number for people. */

/** 0.1234, 27, 1.235e+9: four significant digits. */
export function formatValue(value: number): string {
  return String(Number(value.toPrecision(4)) + 0); // -0 becomes 0
}
