import { describe, expect, test } from "vitest";
import { isAddress, isSafeName, parseHubPath, resolvePathOf, weightsFileAt } from "../../src/weights/weights-file.ts";

describe("a path on the Hugging Face hub", () => {
  const base = { owner: "timm", repo: "resnet18.a1_in1k", path: "model.safetensors", revision: "main" };
  test.each([
    ["hf://timm/resnet18.a1_in1k/model.safetensors", base],
    ["hf:timm/resnet18.a1_in1k", base],
    ["HF://timm/resnet18.a1_in1k", base],
    ["hf://timm/resnet18.a1_in1k@v1.0", { ...base, revision: "v1.0" }],
    ["hf://timm/resnet18.a1_in1k/a/b.bin@refs/pr/1", { ...base, path: "a/b.bin", revision: "refs/pr/1" }],
    ["hf://timm/resnet18.a1_in1k@abc/a/b.bin", { ...base, path: "a/b.bin", revision: "abc" }],
  ])("%s", (text, expected) => {
    expect(parseHubPath(text)).toEqual(expected);
  });

  test.each([
    "hf://",
    "hf://timm",
    "hf://timm/",
    "hf:///x",
    "hf://a/b/",
    "hf://a/b/../c",
    "hf://../b/c",
    "hf://a/b/c@../d",
    "hf://a/b@v/c@w",
    "hf://a b/c/d",
    "hf://a/b?x=1/c",
  ])("%s is refused", (text) => {
    expect(() => parseHubPath(text)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
  });

  test("is escaped in the address", () => {
    expect(resolvePathOf({ ...base, path: "ä b/c#?.bin", revision: "refs/pr/1" })).toBe(
      "/timm/resnet18.a1_in1k/resolve/refs%2Fpr%2F1/%C3%A4%20b/c%23%3F.bin",
    );
    expect(parseHubPath("https://a.org")).toBeUndefined();
  });
});

describe("the record of an address", () => {
  test.each([
    ["hf:timm/net", "hf://timm/net/model.safetensors", "timm--net--model.safetensors"],
    ["hf://timm/net/a/b.bin@v1", "hf://timm/net/a/b.bin@v1", "timm--net--v1--a--b.bin"],
    ["https://huggingface.co/o/r/blob/main/a/m.pth", "hf://o/r/a/m.pth", "o--r--a--m.pth"],
    ["https://huggingface.co/o/r/resolve/v2/m.pth?download=true", "hf://o/r/m.pth@v2", "o--r--v2--m.pth"],
  ])("%s", (address, url, file) => {
    expect(weightsFileAt(address)).toEqual({ url, file });
  });

  test("names differ for addresses that end alike", () => {
    const addresses = ["https://a.org/1/model.pth", "https://a.org/2/model.pth", "https://b.org/1/model.pth"];
    const names = addresses.map((address) => weightsFileAt(address).file);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^model-[0-9a-f]{8}\.pth$/);
  });

  test.each([
    "https://a.org/",
    "https://a.org/..",
    "https://a.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "https://a.org/%00",
    "https://a.org/con",
    "https://a.org/.hidden",
    `https://a.org/${"x".repeat(3000)}`,
    "https://a.org/%E0%A4%A",
    "https://a.org/näme mit.leer",
    `hf://${"o".repeat(200)}/r/f.bin`,
  ])("%s gets a name that every system can have", (address) => {
    expect(isSafeName(weightsFileAt(address).file)).toBe(true);
  });

  test.each(["file:///etc/passwd", "ftp://a.org/x", "net.pth", "", "javascript:1"])("%j is refused", (address) => {
    expect(() => weightsFileAt(address)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
  });
});

test.each([
  ["resnet50-0676ba61.pth", true],
  ["timm--net@v1+x.bin", true],
  ["../x", false],
  ["a/b", false],
  ["a\\b", false],
  [".partial-x", false],
  ["", false],
  ["NUL.pth", false],
  ["com1", false],
  ["x.", false],
  ["a b", false],
  ["a\0b", false],
  ["x".repeat(161), false],
])("%j is a safe name: %s", (name, safe) => {
  expect(isSafeName(name)).toBe(safe);
});

test("an address is told from a name", () => {
  expect(["https://a.org/x", "HTTP://a", "hf:timm/x", "hf://a/b"].map(isAddress)).toEqual([true, true, true, true]);
  expect(["resnet50", "resnet50@keras", "./file.pth", "hfnet", "C:/x"].map(isAddress)).toEqual(Array(5).fill(false));
});
