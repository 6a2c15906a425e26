/** Where files that can be made again are kept: the platform's cache folder, unless ROOTSTOCK_CACHE names another. */
import { homedir } from "node:os";
import { join } from "node:path";
import { RootstockError } from "../errors.ts";

/** The folder for one kind of cached files, for example "features". It need not exist yet. */
export function cacheFolder(
  kind: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
): string {
  return join(environment["ROOTSTOCK_CACHE"] || defaultFolder(environment, platform), kind);
}

/** Base Directory Specification on Linux, ~/Library/Caches on macOS, %LOCALAPPDATA% on Windows. */
function defaultFolder(environment: NodeJS.ProcessEnv, platform: string): string {
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "rootstock");
  if (platform === "win32")
    return join(environment["LOCALAPPDATA"] || join(homedir(), "AppData", "Local"), "rootstock", "cache");
  return join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "rootstock");
}

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/**
 * The most bytes that the feature caches may take together: ROOTSTOCK_CACHE_LIMIT, such as "2 GB" or "500000000", or 10 GB.
 * @throws RootstockError BAD_CONFIG if the variable holds something else.
 */
export function cacheLimit(environment: NodeJS.ProcessEnv = process.env): number {
  const text = environment["ROOTSTOCK_CACHE_LIMIT"];
  if (!text) return 10e9;
  const [, amount, unit = "b"] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)?\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (amount === undefined || factor === undefined) {
    throw new RootstockError(
      "BAD_CONFIG",
      `ROOTSTOCK_CACHE_LIMIT requires a size such as "2 GB" or a number of bytes, got "${text}".`,
    );
  }
  return Number(amount) * factor;
}
