/**
 * Compiles `src` to `dist` before the first test: worker threads and the spawned command run from there. Type errors
 * are shown and do not stop the tests, which `npm test` runs after the type check.
 */
import { spawnSync } from "node:child_process";

export function setup(): void {
  const { error } = spawnSync(
    process.execPath,
    ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--noEmitOnError", "false"],
    { stdio: "inherit" },
  );
  if (error) throw error;
}
