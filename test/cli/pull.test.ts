import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CATALOG } from "../../src/models/catalog.ts";
import { temporaryFolder } from "../data/made.ts";
import { answer, serve, someContent } from "../weights/server.ts";
import { inTurn } from "../weights/trial.ts";
import { cli } from "./made.ts";

const { content, sha256 } = someContent();
let cache: string;

beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("ROOTSTOCK_CACHE", cache);
  for (const name of ["ROOTSTOCK_MIRROR", "ROOTSTOCK_OFFLINE", "HF_ENDPOINT", "HF_TOKEN"]) vi.stubEnv(name, "");
  for (const name of ["http_proxy", "https_proxy", "no_proxy"]) vi.stubEnv(name, "");
  return () => vi.unstubAllEnvs();
});

describe("pull", () => {
  test("prints the path of the file, and serves it from the cache afterwards", async () => {
    const server = await inTurn(content, {});
    const first = await cli(["pull", `${server.url}/net.bin`]);
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining("downloaded  net-")]);
    expect(first.stderr).toContain(`no published sum to compare with; its sha256 is ${sha256}`);
    expect((await readFile(first.stdout.trim())).equals(content)).toBe(true);
    const second = await cli(["pull", `${server.url}/net.bin`, "--json"]);
    expect(second.json.files).toEqual([
      expect.objectContaining({ path: first.stdout.trim(), bytes: content.length, downloaded: false, sha256 }),
    ]);
    expect(server.requests).toHaveLength(1);
  });

  test("--out copies the file", async () => {
    const server = await inTurn(content, {});
    const out = join(await temporaryFolder(), "copy.bin");
    const { stdout } = await cli(["pull", `${server.url}/net.bin`, "--out", out]);
    expect(stdout.trim()).toBe(out);
    expect((await readFile(out)).equals(content)).toBe(true);
  });

  test("a catalog name is downloaded from its address and checked: other bytes are refused", async () => {
    const server = await serve((request, response) => answer(request, response, content));
    vi.stubEnv("ROOTSTOCK_MIRROR", server.url);
    const { code, json, stderr } = await cli(["pull", "squeezenet1_1.imagenet1k_v1", "--json"]);
    expect(server.requests.map(({ url }) => url)).toEqual(["/models/squeezenet1_1-b8a52dc0.pth"]);
    expect([code, json.error.code]).toEqual([1, "CHECKSUM_MISMATCH"]);
    expect(stderr).toContain("a sha256 that starts with b8a52dc0");
    expect((await cli(["cache", "--json"])).json.weights.entries).toEqual([]);
  });

  test("offline, it says which file to put where", async () => {
    vi.stubEnv("ROOTSTOCK_OFFLINE", "1");
    const { code, json } = await cli(["pull", "resnet50.imagenet1k_v1", "--json"]);
    expect([code, json.error.code]).toEqual([1, "DOWNLOAD"]);
    expect(json.error.message).toContain(
      `Load https://download.pytorch.org/models/resnet50-0676ba61.pth (a sha256 that starts with 0676ba61) elsewhere, and put it at ${join(cache, "weights", "resnet50-0676ba61.pth")}`,
    );
  });

  test("--list shows the catalog, and what is in the cache", async () => {
    await mkdir(join(cache, "weights"));
    await writeFile(join(cache, "weights", "resnet50-0676ba61.pth"), "x");
    const { code, json, stderr } = await cli(["pull", "--list", "--json"]);
    expect(code).toBe(0);
    expect(json.weights).toHaveLength(CATALOG.length);
    expect(json.weights.filter(({ cached }: { cached: boolean }) => cached)).toEqual([
      expect.objectContaining({
        name: "resnet50.imagenet1k_v1",
        publisher: "torchvision",
        license: expect.any(String),
      }),
    ]);
    expect(stderr).toMatch(/resnet50\.imagenet1k_v1 .*yes/);
  });

  test.each([
    [["pull"], 2, "requires the name or the address"],
    [["pull", "a", "b", "--out", "x"], 2, "--out takes one name"],
    [["pull", "a", "--list"], 2, "takes no names"],
    [["pull", "resnet50x"], 1, "resnet50"],
    [["pull", "hf://only"], 1, "hf://owner/repo"],
    [["pull", "http://"], 1, "https://"],
  ] as const)("%j ends with %d", async (args, code, message) => {
    const outcome = await cli(args);
    expect([outcome.code, outcome.stderr, outcome.stdout]).toEqual([code, expect.stringContaining(message), ""]);
  });

  test("has a help page", async () => {
    const { stdout } = await cli(["pull", "--help"]);
    expect(stdout).toContain("Usage: rootstock pull");
    expect(stdout).toContain("hf://");
  });
});

describe("cache", () => {
  test("lists weights, and clears them where that is asked for", async () => {
    const server = await inTurn(content, {});
    await cli(["pull", `${server.url}/net.bin`]);
    const { json, stderr } = await cli(["cache", "--json"]);
    expect(json.weights).toMatchObject({
      folder: join(cache, "weights"),
      bytes: content.length,
      entries: [{ partial: false, url: `${server.url}/net.bin`, bytes: content.length }],
    });
    expect(stderr).toContain("300.0 kB");
    expect((await cli(["cache", "clear", "--json"])).json.freed).toBe(0);
    expect((await cli(["cache", "--json"])).json.weights.bytes).toBe(content.length);
    expect((await cli(["cache", "clear", "weights", "--json"])).json.freed).toBe(content.length);
    expect((await cli(["cache", "--json"])).json.weights.entries).toEqual([]);
  });

  test("clears one file, or everything", async () => {
    const server = await inTurn(content, {});
    await cli(["pull", `${server.url}/a.bin`, `${server.url}/b.bin`]);
    const [first] = (await cli(["cache", "--json"])).json.weights.entries;
    expect((await cli(["cache", "clear", first.file, "--json"])).json.freed).toBe(content.length);
    expect((await cli(["cache", "clear", "all", "--json"])).json.freed).toBe(content.length);
    const { code, stderr } = await cli(["cache", "clear", "no-such"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("features, weights or all")]);
  });
});
