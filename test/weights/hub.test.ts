import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listWeights } from "../../src/weights/cache.ts";
import { type FetchOptions, fetchWeights, isOffline } from "../../src/weights/hub.ts";
import type { WeightsFile } from "../../src/weights/weights-file.ts";
import { temporaryFolder } from "../data/made.ts";
import { answer, serve, someContent, type TestServer } from "./server.ts";
import { inTurn, status } from "./trial.ts";

const { content, sha256 } = someContent();

async function cache(): Promise<{
  folder: string;
  fetch(record: WeightsFile, options?: FetchOptions): Promise<string>;
}> {
  const folder = join(await temporaryFolder(), "weights");
  return {
    folder,
    fetch: (record, options) =>
      fetchWeights(record, { folder, environment: {}, attempts: 2, sleep: async () => {}, ...options }),
  };
}

function recordAt(server: TestServer): WeightsFile {
  return { url: `${server.url}/a/net.pth`, file: "net.pth", hash: { kind: "sha256", value: sha256 } };
}

test("downloads once; afterwards the cache serves without a request", async () => {
  const { folder, fetch } = await cache();
  const server = await inTurn(content, {});
  const record = recordAt(server);
  expect(await fetch(record)).toBe(join(folder, "net.pth"));
  await server.stop();
  const path = await fetch(record);
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(server.requests).toHaveLength(1);
  expect((await readdir(folder)).sort()).toEqual([".about-net.pth.json", "net.pth"]);
});

test("a file that somebody put there is compared with the record once", async () => {
  const { folder, fetch } = await cache();
  await mkdir(folder);
  await writeFile(join(folder, "net.pth"), content);
  const record: WeightsFile = {
    url: "https://host.invalid/net.pth",
    file: "net.pth",
    hash: { kind: "sha256-prefix", value: sha256.slice(0, 8) },
  };
  const path = await fetch(record, { environment: { ROOTSTOCK_OFFLINE: "1" } });
  expect(path).toBe(join(folder, "net.pth"));
  expect(JSON.parse(await readFile(join(folder, ".about-net.pth.json"), "utf8"))).toMatchObject({ sha256 });
});

test("a file that changed since is noticed and replaced", async () => {
  const { folder, fetch } = await cache();
  const server = await inTurn(content, {});
  const path = await fetch(recordAt(server));
  const broken = Buffer.from(content);
  broken[1000]! ^= 1;
  await writeFile(path, broken);
  await utimes(path, 1_000_000, 1_000_000);
  await fetch(recordAt(server));
  expect((await readFile(join(folder, "net.pth"))).equals(content)).toBe(true);
  expect(server.requests).toHaveLength(2);
});

test.each([
  ["cut off", (bytes: Buffer) => bytes.subarray(0, 1000)],
  ["empty", () => Buffer.alloc(0)],
  ["other", (bytes: Buffer) => Buffer.from(bytes).reverse()],
])("a %s file in the cache is never returned, also where it cannot be replaced", async (_what, change) => {
  const { folder, fetch } = await cache();
  await mkdir(folder);
  await writeFile(join(folder, "net.pth"), change(content));
  const server = await inTurn(content, status(404), {});
  await expect(fetch(recordAt(server))).rejects.toMatchObject({ code: "DOWNLOAD" });
  expect(await readdir(folder)).toEqual([]);
  await fetch(recordAt(server));
  expect((await readFile(join(folder, "net.pth"))).equals(content)).toBe(true);
});

test("wrong bytes from the server leave nothing in the cache", async () => {
  const { folder, fetch } = await cache();
  const server = await inTurn(content.subarray(1), {});
  await expect(fetch(recordAt(server))).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  expect(await readdir(folder)).toEqual([]);
});

describe("offline", () => {
  test("says which file to put where, with its size and sum", async () => {
    const { folder, fetch } = await cache();
    const record: WeightsFile = {
      url: "https://example.org/a/net-1234abcd.pth",
      file: "net-1234abcd.pth",
      bytes: 99,
      hash: { kind: "sha256-prefix", value: "1234abcd" },
    };
    const refused = fetch(record, {
      environment: { ROOTSTOCK_OFFLINE: "1", ROOTSTOCK_MIRROR: "https://mirror.invalid" },
    });
    await expect(refused).rejects.toMatchObject({
      code: "DOWNLOAD",
      message: `net-1234abcd.pth is not in the cache, and ROOTSTOCK_OFFLINE forbids the network. Load https://example.org/a/net-1234abcd.pth (99 bytes, a sha256 that starts with 1234abcd) elsewhere, and put it at ${join(folder, "net-1234abcd.pth")}.`,
    });
  });

  test("tells a file of other content, and leaves it", async () => {
    const { folder, fetch } = await cache();
    await mkdir(folder);
    await writeFile(join(folder, "net.pth"), "mine");
    const record = { url: "https://example.org/net.pth", file: "net.pth", bytes: 99 };
    const refused = fetch(record, { environment: { ROOTSTOCK_OFFLINE: "true" } });
    await expect(refused).rejects.toThrow("in the cache with other content (4 bytes)");
    expect(await readFile(join(folder, "net.pth"), "utf8")).toBe("mine");
  });

  test("without a network the error says the same after the attempts", async () => {
    const { folder, fetch } = await cache();
    const server = await inTurn(content, {});
    await server.stop();
    await expect(fetch(recordAt(server))).rejects.toThrow(
      `refused the connection 2 times. It stopped before the first byte; run it again to go on. Without this server, put ${server.url}/a/net.pth (sha256 ${sha256}) at ${join(folder, "net.pth")}.`,
    );
  });

  test("an unknown host is told at once", async () => {
    const { fetch } = await cache();
    const record = { url: "https://host.invalid/net.pth", file: "net.pth" };
    await expect(fetch(record)).rejects.toMatchObject({
      code: "DOWNLOAD",
      message: expect.stringMatching(/could not be looked up|name of the server is unknown/),
    });
  });

  test.each([
    ["1", true],
    ["true", true],
    ["0", false],
    ["", false],
    ["off", false],
  ])("ROOTSTOCK_OFFLINE=%j", (value, expected) => {
    expect(isOffline({ ROOTSTOCK_OFFLINE: value })).toBe(expected);
  });
});

describe("the Hugging Face hub", () => {
  const token = "hf_secretsecretsecret";
  const record: WeightsFile = { url: "hf://timm/net/model.safetensors@v1", file: "net.safetensors" };

  /** A hub that redirects to another origin, as the real one does for large files. */
  async function hub(sha: string, linkedSize = content.length): Promise<{ front: TestServer; store: TestServer }> {
    const store = await serve((request, response) => answer(request, response, content, { etag: '"other"' }));
    const front = await serve((_request, response) => {
      const headers = { "x-linked-etag": `"${sha}"`, "x-linked-size": linkedSize, etag: '"front"' };
      response.writeHead(302, { ...headers, location: `${store.otherOrigin}/blob?Signature=s3cret` }).end();
    });
    return { front, store };
  }

  test("its word about the SHA-256 is compared, and the token goes to the hub alone", async () => {
    const { fetch, folder } = await cache();
    const { front, store } = await hub(sha256);
    const path = await fetch(record, { environment: { HF_ENDPOINT: front.url, HF_TOKEN: token } });
    expect((await readFile(path)).equals(content)).toBe(true);
    expect((await listWeights(folder))[0]).toMatchObject({ url: record.url, checked: `sha256 ${sha256}` });
    expect(front.requests[0]!.url).toBe("/timm/net/resolve/v1/model.safetensors");
    expect(front.requests[0]!.headers.authorization).toBe(`Bearer ${token}`);
    expect(store.requests[0]!.headers).not.toHaveProperty("authorization");
  });

  test("other bytes than it announces are refused", async () => {
    const { fetch, folder } = await cache();
    const { front } = await hub("0".repeat(64));
    const refused = fetch(record, { environment: { HF_ENDPOINT: front.url, HF_TOKEN: token } });
    await expect(refused).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await expect(refused).rejects.not.toThrow(token);
    expect(await readdir(folder)).toEqual([]);
    const short = await hub(sha256, 5);
    await expect(fetch(record, { environment: { HF_ENDPOINT: short.front.url } })).rejects.toThrow("instead of 5");
  });

  test("a gated repository says what is missing, never the token", async () => {
    const { fetch } = await cache();
    const server = await inTurn(content, status(401, { "x-error-message": "Access to model is restricted" }));
    const refused = fetch(record, { environment: { HF_ENDPOINT: server.url, HF_TOKEN: token } });
    await expect(refused).rejects.toThrow(/answered 401 \(Access to model is restricted\).*HF_TOKEN/);
    await expect(refused).rejects.not.toThrow(token);
  });
});

test("a mirror serves the path of the original, without the token", async () => {
  const { fetch } = await cache();
  const server = await inTurn(content, {});
  const environment = { ROOTSTOCK_MIRROR: `${server.url}/mirror/`, HF_TOKEN: "hf_abc" };
  await fetch({ url: "https://download.pytorch.org/models/net.pth", file: "net.pth" }, { environment });
  await fetch({ url: "hf://o/r/f.bin", file: "f.bin" }, { environment });
  expect(server.requests.map(({ url }) => url)).toEqual(["/mirror/models/net.pth", "/mirror/o/r/resolve/main/f.bin"]);
  for (const { headers } of server.requests) expect(headers).not.toHaveProperty("authorization");
});

test("several calls at once in one process download once", async () => {
  const { fetch } = await cache();
  const server = await inTurn(content, {});
  const waited: number[] = [];
  const paths = await Promise.all([0, 1, 2, 3].map((i) => fetch(recordAt(server), { onWait: () => waited.push(i) })));
  expect(new Set(paths).size).toBe(1);
  expect(server.requests).toHaveLength(1);
  expect(waited.length).toBeGreaterThan(0);
});

test("a download that lost its lock waits for the process that took it", async () => {
  const { folder, fetch } = await cache();
  const server = await inTurn(content, { etag: '"a"', stallAfter: 1000 }, { etag: '"a"' });
  const running = fetch(recordAt(server), { stallMs: 60_000 });
  await expect.poll(() => readdir(folder).catch(() => [])).toContain(".lock-net.pth");
  await expect
    .poll(() =>
      stat(join(folder, ".partial-net.pth")).then(
        ({ size }) => size,
        () => 0,
      ),
    )
    .toBe(1000);
  await writeFile(join(folder, ".lock-net.pth"), "999999999 elsewhere 1234 0000000000\n"); // and that machine died
  await writeFile(join(folder, "net.pth"), content); // after it had put the file there
  expect(await running).toBe(join(folder, "net.pth"));
  expect(server.requests).toHaveLength(1);
}, 30_000);

test("a record that cannot be used is refused before anything else", async () => {
  const { fetch } = await cache();
  const sum = { kind: "sha256", value: sha256 } as const;
  for (const [record, message] of [
    [{ url: "https://a.org/x", file: "../x" }, "its name"],
    [{ url: "ftp://a.org/x", file: "x" }, "https:// or hf://"],
    [{ url: "hf://only-one-part", file: "x" }, "hf://owner/repo"],
    [{ url: "https://a.org/x", file: "x", hash: { ...sum, value: "ABC" } }, "64 digits"],
    [{ url: "https://a.org/x", file: "x", bytes: -1 }, "bytes are -1"],
  ] as const) {
    await expect(fetch(record)).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining(message),
    });
  }
});

test("Ctrl-C while a file is compared, or while another process downloads", async () => {
  const { folder, fetch } = await cache();
  await mkdir(folder);
  await writeFile(join(folder, "net.pth"), content);
  const server = await inTurn(content, {});
  const stopped = AbortSignal.abort();
  await expect(fetch(recordAt(server), { signal: stopped })).rejects.toMatchObject({ code: "ABORTED" });
  await writeFile(join(folder, ".lock-other.pth"), `${process.ppid} elsewhere 1234 0000000000\n`);
  const other = { ...recordAt(server), file: "other.pth" };
  const waiting = fetch(other, { signal: AbortSignal.timeout(300) });
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  expect(server.requests).toEqual([]);
});
