/** Regenerates src/onnx/onnx-pb.ts from src/onnx/onnx.proto with Buf (needs Node 22 or later, and the npm registry). */
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

const packages = ["@bufbuild/buf@1.75.0", "@bufbuild/protoc-gen-es@2.17.0"].map((name) => `--package=${name}`);
execFileSync("npm", ["exec", "--yes", ...packages, "--", "buf", "generate"], { stdio: "inherit" });
renameSync("src/onnx/onnx_pb.ts", "src/onnx/onnx-pb.ts");
const source = readFileSync("src/onnx/onnx-pb.ts", "utf8");
writeFileSync("src/onnx/onnx-pb.ts", source.trimEnd().concat("\n"));
