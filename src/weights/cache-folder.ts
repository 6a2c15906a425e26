/** Where files that can be made again are kept: the platform's cache folder, unless ROOTSTOCK_CACHE names another. */
import { homedir } from "node:os";
import { join } from "node:path";

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
