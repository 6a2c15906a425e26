/** Regenerates src/optim/kernels.ts from src/optim/kernels.wat: `node scripts/generate-kernels.mjs`. */
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const source = "src/optim/kernels.wat";
const target = "src/optim/kernels.ts";

const { parseWat } = await wabt();
const module = parseWat(source, readFileSync(source, "utf8"), { simd: true });
module.validate();
const text = Buffer.from(module.toBinary({}).buffer).toString("base64");
const lines = text.match(/.{1,110}/g).map((line) => `  "${line}"`);
writeFileSync(
  target,
  `/** The WebAssembly module of kernels.wat in base64; made by scripts/generate-kernels.mjs. */\nexport const KERNELS =\n${lines.join(" +\n")};\n`,
);
