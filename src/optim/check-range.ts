/** The check of numbers that optimizers, schedules and averages are made with. */

/** Whether a finite number lies in a range, by the range's name in error messages. */
const RANGES = {
  "[0, 1)": (value) => value >= 0 && value < 1,
  "[0, 1]": (value) => value >= 0 && value <= 1,
  "(0, 1]": (value) => value > 0 && value <= 1,
  "[0, infinity)": (value) => value >= 0,
  "[1, infinity)": (value) => value >= 1,
  "(0, infinity)": (value) => value > 0,
} as const satisfies Record<string, (value: number) => boolean>;

/**
 * Throws unless an option is a finite number in `range`. For use in factories.
 * @param name Factory and option as the user knows them, such as "sgd: momentum".
 * @throws RangeError that names the option, the range and the value.
 */
export function checkRange(name: string, value: number, range: keyof typeof RANGES): void {
  if (Number.isFinite(value) && RANGES[range](value)) return;
  throw new RangeError(`${name} must be in ${range}, got ${value}.`);
}

/** The value, a list of two. @throws RangeError that names the option, for a single number or a longer list. */
export function pair<T>(name: string, value: readonly [T, T]): readonly [T, T] {
  if (Array.isArray(value) && value.length === 2) return value;
  throw new RangeError(`${name} must be a list of two numbers, got ${Array.isArray(value) ? value.length : value}.`);
}
