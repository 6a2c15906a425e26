/** Compiles `src` to `dist` before the first test: worker threads and the spawned command run from there. */
import { execFileSync } from "node:child_process";

export function setup(): void {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
    stdio: "inherit",
  });
}
