/** Installing never needs more than the package registry. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./data/made.ts";

const linux = process.platform === "linux" && process.arch === "x64";

test.runIf(linux)(
  "before onnxruntime-node looks for CUDA files there are placeholders, and real files are kept",
  async () => {
    const root = await temporaryFolder();
    const bin = join(root, "node_modules", "onnxruntime-node", "bin", "napi-v6", "linux", "x64");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(root, "node_modules", "onnxruntime-node", "package.json"), "{}");
    writeFileSync(join(bin, "libonnxruntime_providers_cuda.so"), "real");
    mkdirSync(join(root, "node_modules", "rootstock", "scripts"), { recursive: true });
    const script = join(root, "node_modules", "rootstock", "scripts", "skip-cuda-download.mjs");
    cpSync("scripts/skip-cuda-download.mjs", script);
    execFileSync(process.execPath, [script]);
    expect(readdirSync(bin).sort()).toEqual(
      ["cuda", "shared", "tensorrt"].map((name) => `libonnxruntime_providers_${name}.so`),
    );
    expect(readFileSync(join(bin, "libonnxruntime_providers_cuda.so"), "utf8")).toBe("real");
  },
);

test.runIf(linux)("the placeholders are exactly the files that its install script would download", () => {
  const { requirements, manifests } = JSON.parse(
    execFileSync(process.execPath, ["-p", 'JSON.stringify(require("onnxruntime-node/script/install-metadata.js"))'], {
      encoding: "utf8",
    }),
  );
  const wanted = requirements["linux/x64"].flatMap((name: string) => Object.keys(manifests[`linux/x64:${name}`]));
  const script = readFileSync("scripts/skip-cuda-download.mjs", "utf8");
  expect(wanted).toHaveLength(3);
  for (const name of wanted) expect(script).toContain(`"${/providers_(\w+)\.so/.exec(name)![1]}"`);
});

test("the lock file names no registry and covers every optional package", () => {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const missing = Object.values<{ optionalDependencies?: object }>(lock.packages).flatMap(
    ({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies).filter((name) => !(`node_modules/${name}` in lock.packages)),
  );
  expect(missing).toEqual([]);
  expect(readFileSync("package-lock.json", "utf8")).not.toMatch(/"resolved": "https?:/);
  expect(existsSync(".npmrc")).toBe(true);
});
