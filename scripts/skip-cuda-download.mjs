/**
 * Keeps the installation of this package offline-safe.
 *
 * On linux/x64 the install script of onnxruntime-node downloads CUDA libraries when they are absent, and fails the
 * whole installation without network. It leaves at once when the files exist, so this script (npm runs every
 * `preinstall` before any `postinstall`) puts empty files in their place. Somebody who wants CUDA runs that install
 * script with ONNXRUNTIME_NODE_INSTALL=cuda12, which replaces them with the real ones (docs/decisions/0005).
 */
import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const NAMES = ["cuda", "shared", "tensorrt"].map((name) => `libonnxruntime_providers_${name}.so`);

try {
  const manifest = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  const folder = join(dirname(manifest), "bin", "napi-v6", process.platform, process.arch);
  if (process.platform === "linux" && process.arch === "x64" && existsSync(folder)) {
    for (const name of NAMES) {
      if (!existsSync(join(folder, name))) writeFileSync(join(folder, name), "");
    }
  }
} catch (error) {
  // Nothing here may fail an installation. In a checkout npm may run this before the dependencies are there.
  if (error.code === "MODULE_NOT_FOUND") process.exit(0);
  console.warn(`rootstock: could not prepare onnxruntime-node for an offline installation (${error})`);
}
