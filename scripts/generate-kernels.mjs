/** Regenerates the WebAssembly modules beside their sources in text: `node scripts/generate-kernels.mjs`. */

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import wabt from "wabt";

const { parseWat } = await wabt();
for (const source of [
  "src/optim/kernels.wat",
  "src/transforms/pixels/hue-kernels.wat",
  "src/transforms/pixels/pixel-kernels.wat",
  "src/transforms/resampling/resize-kernels.wat",
]) {
  const module = parseWat(source, readFileSync(source, "utf8"), { simd: true });
  module.validate();
  const text = Buffer.from(module.toBinary({}).buffer).toString("base64");
  const lines = text.match(/.{1,110}/g).map((line) => `  "${line}"`);
  writeFileSync(
    source.replace(/\.wat$/, ".ts"),
    `/** The WebAssembly module of ${basename(source)} in base64; made by scripts/generate-kernels.mjs. */\nexport const KERNELS =\n${lines.join(" +\n")};\n`,
  );
}
