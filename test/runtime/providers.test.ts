import { describe, expect, test } from "vitest";
import { checkProvider, PROVIDERS, providerFailed } from "../../src/runtime/providers.ts";

const NAMES = Object.keys(PROVIDERS) as (keyof typeof PROVIDERS)[]; // the table has no other keys

describe("checkProvider", () => {
  test("returns every known name that the build offers, or that nothing is known of", () => {
    for (const name of NAMES) {
      expect(checkProvider(name, NAMES)).toBe(name);
      expect(checkProvider(name, undefined)).toBe(name);
    }
  });

  test.each(["gpu", "CPU", "", "tensorrt", "constructor"])('refuses "%s" and lists the names', (name) => {
    expect(() => checkProvider(name, ["cpu", "tensorrt"])).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message: `unknown provider "${name}". Choose one of: cpu, cuda, webgpu, coreml, dml.`,
      }),
    );
  });

  test("says what a provider requires that is not in the build, and offers only known ones that are", () => {
    expect(() => checkProvider("coreml", ["cpu", "cuda", "tensorrt"])).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message:
          'provider "coreml" requires macOS; this build of ONNX Runtime does not contain it. Choose one of: cpu, cuda.',
      }),
    );
  });
});

describe("providerFailed", () => {
  test("gives the first line of the reason, the requirements and a way out, and keeps the cause", () => {
    const cause = new Error("no");
    const error = providerFailed("dml", cause, "no adapter found\nat somewhere");
    expect(error).toMatchObject({ code: "RUNTIME", cause });
    expect(error.message).toBe(
      'provider "dml" could not start: no adapter found. It requires Windows with a DirectX 12 GPU. ' +
        "Use provider cpu, or install what is missing.",
    );
  });

  test("keeps the end of a long reason, from a whole word on", () => {
    const { message } = providerFailed("webgpu", undefined, `${"noise ".repeat(60)}No supported adapters`);
    expect(message).toMatch(/could not start: … noise (noise )+No supported adapters\. It requires a GPU/);
    expect(message.length).toBeLessThan(400);
  });
});
