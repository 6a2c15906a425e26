/** The one error class of the package: a stable `code` for programs, a message that says what to do for people. */

/** What went wrong, as a stable word that programs may compare. */
export type ErrorCode =
  | "ABORTED" // the caller or Ctrl-C asked to stop
  | "BAD_CONFIG" // an option has a value that cannot be used
  | "BAD_DATA" // a dataset or an image cannot be used
  | "BAD_MODEL" // a model file cannot be read, or lacks what the task needs
  | "BAD_CACHE" // the feature cache cannot be written
  | "CANNOT_WRITE" // a file could not be written: no space, no permission, a folder of that name
  | "CHECKSUM_MISMATCH" // a file has other bytes than its record says
  | "DIVERGED" // training left the range of numbers
  | "DOWNLOAD" // a file is not in the cache and cannot be fetched
  | "INTERNAL" // a fault of this package
  | "NOT_DIFFERENTIABLE" // no gradient rule for an operator on the path to the loss
  | "PARITY" // the exported file disagrees with the model that was trained
  | "RUNTIME" // ONNX Runtime refused or failed
  | "SHAPE_MISMATCH" // a tensor has another shape than required
  | "UNSUPPORTED_OP"; // an operator, opset or attribute that this package cannot handle

/** An error with a stable `code`, a message in the form "required, got, where, what to do", and the kept `cause`. */
export class RootstockError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RootstockError";
    this.code = code;
  }
}

/** Throws INTERNAL unless `condition` holds: for states that only a fault of this package can produce. */
export function invariant(condition: unknown, message: () => string): asserts condition {
  if (!condition) {
    throw new RootstockError("INTERNAL", `internal: ${message()}. This is a fault of Rootstock: please report it.`);
  }
}

/** Joins at most `limit` items, with a count of what was left out. */
export function listed(items: readonly string[], limit = 5): string {
  const shown = items.slice(0, limit).join(", ");
  return items.length > limit ? `${shown} and ${items.length - limit} more` : shown;
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
