import { describe, expect, test } from "vitest";
import { addressOf, shownUrl } from "../../src/weights/addresses.ts";

const HUB = "https://huggingface.co";
const TORCH = "https://download.pytorch.org/models/net.pth";
const MIRROR = "https://mirror.example/weights/";

describe("where a file is fetched", () => {
  test.each([
    [TORCH, {}, TORCH],
    [TORCH, { ROOTSTOCK_MIRROR: MIRROR }, "https://mirror.example/weights/models/net.pth"],
    [TORCH, { ROOTSTOCK_MIRROR: "https://mirror.example" }, "https://mirror.example/models/net.pth"],
    [TORCH, { HF_ENDPOINT: "https://hf.example" }, TORCH],
    [`${TORCH}?a=1`, { ROOTSTOCK_MIRROR: "https://m.example" }, "https://m.example/models/net.pth?a=1"],
    ["hf://o/r/f", {}, `${HUB}/o/r/resolve/main/f`],
    ["hf://o/r/f@v", { HF_ENDPOINT: "https://hf.example/" }, "https://hf.example/o/r/resolve/v/f"],
    [`${HUB}/o/r/resolve/main/f`, { HF_ENDPOINT: "https://hf.example" }, "https://hf.example/o/r/resolve/main/f"],
    ["hf://o/r/f", { ROOTSTOCK_MIRROR: MIRROR }, "https://mirror.example/weights/o/r/resolve/main/f"],
    ["hf://o/r/f", { ROOTSTOCK_MIRROR: MIRROR, HF_ENDPOINT: HUB }, `${HUB}/o/r/resolve/main/f`],
    [TORCH, { ROOTSTOCK_MIRROR: "", HF_ENDPOINT: "" }, TORCH],
  ])("%s with %j", (source, environment, expected) => {
    expect(addressOf(source, environment).url.href).toBe(expected);
  });

  test.each([
    { ROOTSTOCK_MIRROR: "mirror.example" },
    { ROOTSTOCK_MIRROR: "ftp://mirror.example" },
    { HF_ENDPOINT: "https://user:secret@hf.example/?x=1" },
  ])("%j is refused, and not repeated", (environment) => {
    expect(() => addressOf("hf://o/r/f", environment)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
    expect(() => addressOf("hf://o/r/f", environment)).not.toThrow(/secret/);
  });
});

describe("who sees credentials", () => {
  const token = "hf_0123456789";
  test("the token is for the hub alone", () => {
    for (const source of ["hf://o/r/f", TORCH]) {
      const { authorization } = addressOf(source, { HF_TOKEN: ` ${token}\n` });
      expect(authorization(HUB)).toBe(`Bearer ${token}`);
      expect(authorization("http://huggingface.co")).toBeUndefined();
      expect(authorization("https://huggingface.co.evil.example")).toBeUndefined();
      expect(authorization("https://cdn-lfs.huggingface.co")).toBeUndefined();
      expect(authorization("https://download.pytorch.org")).toBeUndefined();
    }
  });

  test("HF_ENDPOINT takes the hub's place, ROOTSTOCK_MIRROR does not", () => {
    const endpoint = addressOf("hf://o/r/f", { HF_TOKEN: token, HF_ENDPOINT: "https://hf.example" });
    expect(endpoint.authorization("https://hf.example")).toBe(`Bearer ${token}`);
    expect(endpoint.authorization(HUB)).toBeUndefined();
    const mirror = addressOf("hf://o/r/f", { HF_TOKEN: token, ROOTSTOCK_MIRROR: MIRROR });
    expect(mirror.authorization("https://mirror.example")).toBeUndefined();
  });

  test("nothing is sent over plain http, except on this machine", () => {
    const at = (endpoint: string) =>
      addressOf("hf://o/r/f", { HF_TOKEN: token, HF_ENDPOINT: endpoint }).authorization(endpoint);
    expect(at("http://hf.example")).toBeUndefined();
    expect(at("http://127.0.0.1.evil.example")).toBeUndefined();
    expect(at("http://127.0.0.1:8080")).toBe(`Bearer ${token}`);
    expect(at("http://localhost:8080")).toBe(`Bearer ${token}`);
  });

  test("the older name of the token works, and an unusable token is not repeated", () => {
    expect(addressOf("hf://o/r/f", { HUGGING_FACE_HUB_TOKEN: token }).authorization(HUB)).toBe(`Bearer ${token}`);
    expect(addressOf("hf://o/r/f", { HF_TOKEN: "  " }).authorization(HUB)).toBeUndefined();
    const bad = () => addressOf("hf://o/r/f", { HF_TOKEN: "secret\r\nx: y" });
    expect(bad).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
    expect(bad).not.toThrow(/secret/);
  });

  test("user name and password of an address leave it, and are for its host", () => {
    const { url, authorization } = addressOf("https://me:p%40ss@a.org/x?y=1", {});
    expect(url.href).toBe("https://a.org/x?y=1");
    expect(authorization("https://a.org")).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
    expect(authorization("https://b.org")).toBeUndefined();
    const mirror = addressOf(TORCH, { ROOTSTOCK_MIRROR: "https://me:pass@mirror.example" });
    expect(mirror.url.href).toBe("https://mirror.example/models/net.pth");
    expect(mirror.authorization("https://mirror.example")).toMatch(/^Basic /);
  });
});

test("only a file of the hub may be known by the hub's word", () => {
  expect(addressOf("hf://o/r/f", {}).hub).toBe(HUB);
  expect(addressOf("hf://o/r/f", { HF_ENDPOINT: "https://hf.example" }).hub).toBe("https://hf.example");
  expect(addressOf(TORCH, {}).hub).toBeUndefined();
});

test.each([
  ["https://a.org/x/y.pth", "https://a.org/x/y.pth"],
  ["https://me:secret@a.org/x?Signature=secret#secret", "https://a.org/x?…"],
  ["not an address with secret", "the address"],
])("%s is shown as %s", (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
