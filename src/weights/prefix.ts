/** Prefixes that training code puts before every name of a state dict, and that no architecture knows. */

/** DataParallel and EMA copies, torch.compile, nested saving, and the usual attribute of a Lightning module. */
const WRAPPERS = ["module.", "_orig_mod.", "state_dict.", "model.", "net.", "network."];

/** Names without the prefix that all of them share. */
export interface StrippedNames {
  /** What was taken away, such as "module." or "module.model."; empty if nothing was. */
  readonly prefix: string;
  /** The remaining names, in the given order. */
  readonly names: readonly string[];
}

/**
 * Takes away the wrappers' prefixes that every name starts with, such as "module.", one after the other.
 * A prefix stays if a name would become empty.
 */
export function stripPrefix(names: readonly string[]): StrippedNames {
  let prefix = "";
  for (;;) {
    const start = prefix;
    const next = WRAPPERS.find((wrapper) => names.every((name) => startsWithin(name, start + wrapper)));
    if (next === undefined || names.length === 0) break;
    prefix += next;
  }
  return { prefix, names: names.map((name) => name.slice(prefix.length)) };
}

function startsWithin(name: string, prefix: string): boolean {
  return name.length > prefix.length && name.startsWith(prefix);
}
