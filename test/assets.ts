/** Where the real models and photographs for testing are. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

const folder = fileURLToPath(new URL("../../shared/assets", import.meta.url));

/** The folder of test assets beside the checkout, or undefined where they are not installed. */
export const assets: string | undefined = existsSync(folder) ? folder : undefined;

/** Like `describe`; skipped where the test assets are not installed. */
export const withAssets = describe.skipIf(!assets);
