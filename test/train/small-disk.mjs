/**
 * Ends a run on a small disk with the built package: checkpoints lie there already, and the model and the result come.
 *
 *     node small-disk.mjs FOLDER CHECKPOINT MODEL RESULT      sizes in bytes
 *
 * A line of JSON says how it ended and what is in the run's folder.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { claimRunFolder } from "../../dist/train/claim-run-folder.js";
import { writeAtomically } from "../../dist/weights/files.js";

const [path, ...sizes] = process.argv.slice(2);
const [checkpoint, model, result] = sizes.map(Number);
const warnings = [];
const folder = await claimRunFolder(join(path, "run"), { onWarning: (text) => warnings.push(text) });
mkdirSync(folder.file("checkpoints"));
writeFileSync(join(folder.file("checkpoints"), "000000-000001.safetensors"), Buffer.alloc(checkpoint));
let error;
try {
  await folder.writeModel((file) => writeAtomically(file, [Buffer.alloc(model / 2), Buffer.alloc(model / 2)]));
  await folder.write("result", "x".repeat(result));
} catch ({ code, message }) {
  error = { code, message };
}
const checkpoints = readdirSync(folder.path).includes("checkpoints");
console.log(JSON.stringify({ error, warnings, checkpoints, files: readdirSync(folder.path).sort() }));
