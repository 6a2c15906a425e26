/** Marks the compiled command as executable: npx does so once for a checkout, and a new build makes a new file. */
import { chmodSync } from "node:fs";

chmodSync(new URL("../dist/cli/bin.js", import.meta.url), 0o755);
