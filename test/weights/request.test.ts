import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { addressOf } from "../../src/weights/addresses.ts";
import { connectionFailure, openClient, redirectTarget } from "../../src/weights/request.ts";
import { answer, serve } from "./server.ts";

const content = Buffer.from("weights");

async function get(url: string, environment: NodeJS.ProcessEnv = {}) {
  const client = await openClient({ environment, stallMs: 2000 });
  onTestFinished(() => client.close());
  const response = await client.get(addressOf(url, environment), { "x-test": "1" }, undefined);
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { ...response, text: Buffer.concat(chunks).toString() };
}

describe("redirects", () => {
  test.each([301, 302, 303, 307, 308])("%d is followed, also to a relative address", async (code) => {
    const server = await serve((request, response) => {
      if (request.url === "/a/b") response.writeHead(code, { location: "../c?d=1" }).end("x".repeat(500_000));
      else answer(request, response, content);
    });
    const { status, text, url } = await get(`${server.url}/a/b`);
    expect([status, text, url.pathname + url.search]).toEqual([200, "weights", "/c?d=1"]);
    expect(server.requests[1]!.headers["x-test"]).toBe("1");
  });

  test("a loop ends, with an address that shows no query", async () => {
    const server = await serve((_request, response) => response.writeHead(302, { location: "/a?secret=1" }).end());
    await expect(get(`${server.url}/a`)).rejects.toMatchObject({
      code: "DOWNLOAD",
      message: expect.stringMatching(/redirected more than 10 times, lastly to [^?]*\/a\?…/),
    });
    expect(server.requests).toHaveLength(11);
  });

  test("user name and password stay with their host", async () => {
    const other = await serve((request, response) => answer(request, response, content));
    const server = await serve((request, response) => {
      const location = request.url === "/a" ? "/b" : `${other.otherOrigin.replace("//", "//x:y@")}/c`;
      response.writeHead(302, { location }).end();
    });
    await get(`${server.url.replace("//", "//me:pass@")}/a`);
    expect(server.requests.map(({ headers }) => headers.authorization?.slice(0, 5))).toEqual(["Basic", "Basic"]);
    expect(other.requests[0]!.headers).not.toHaveProperty("authorization");
  });

  test.each([
    ["https://a.org/x", "http://a.org/x", "from https to http://a.org/x"],
    ["https://a.org/x", "http://localhost/x", "from https to"],
    ["https://a.org/x", "file:///etc/passwd", "starts with file:"],
    ["http://a.org/x", "javascript:alert(1)", "starts with javascript:"],
    ["https://a.org/x", undefined, "without saying where"],
    ["https://a.org/x", "https://", "without saying where"],
  ])("from %s to %s is refused", (from, to, message) => {
    expect(() => redirectTarget(new URL(from), to)).toThrow(
      expect.objectContaining({ code: "DOWNLOAD", message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ["http://a.org/x", "https://b.org/y", "https://b.org/y"],
    ["http://a.org/x", "http://b.org/y", "http://b.org/y"],
    ["https://a.org/x/y", "//b.org/z", "https://b.org/z"],
    ["https://a.org/x/y", "https://me:pass@b.org/z", "https://b.org/z"],
  ])("from %s to %s leads to %s", (from, to, expected) => {
    expect(redirectTarget(new URL(from), to).href).toBe(expected);
  });
});

describe("what the hub says of a large file", () => {
  const sha256 = "ab".repeat(32);
  test.each([
    [`"${sha256}"`, "7", { sha256, bytes: 7 }],
    [`W/"${sha256.toUpperCase()}"`, undefined, { sha256, bytes: undefined }],
    ['"4f2d8c6b1a"', "7", undefined],
    [undefined, "7", undefined],
  ])("%s", async (etag, size, expected) => {
    const server = await serve((request, response) =>
      answer(request, response, content, {
        headers: { ...(etag ? { "x-linked-etag": etag } : {}), ...(size ? { "x-linked-size": size } : {}) },
      }),
    );
    expect((await get("hf://o/r/f", { HF_ENDPOINT: server.url })).linked).toEqual(expected);
    expect((await get(`${server.url}/o/r/resolve/main/f`)).linked).toBeUndefined();
  });
});

describe("proxies", () => {
  /** A proxy that passes plain requests on, and refuses tunnels. */
  async function proxy() {
    const seen: string[] = [];
    const server = createServer((request: IncomingMessage, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"] ?? ""}`.trim());
      const target = new URL(request.url ?? "");
      const socket = connect(Number(target.port), target.hostname, () => {
        socket.write(`GET ${target.pathname} HTTP/1.0\r\nHost: ${target.host}\r\n\r\n`);
      });
      response.writeHead(200);
      let head = true;
      socket.on("data", (data) => {
        const text = data.toString("latin1");
        const body = head ? text.slice(text.indexOf("\r\n\r\n") + 4) : text;
        head = false;
        response.write(body, "latin1");
      });
      socket.on("end", () => response.end());
    });
    server.on("connect", (request, socket) => {
      seen.push(`CONNECT ${request.url}`);
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    onTestFinished(() => void server.close());
    return { seen, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }; // it listens on a port
  }

  test.each(["http_proxy", "HTTP_PROXY"])("%s is used for http, with its user name and password", async (name) => {
    const server = await serve((request, response) => answer(request, response, content));
    const { seen, address } = await proxy();
    const { text } = await get(`${server.url}/x`, { [name]: `http://me:pass@${address}` });
    expect(text).toBe("weights");
    expect(seen).toEqual([`GET ${server.url}/x Basic ${Buffer.from("me:pass").toString("base64")}`]);
  });

  test("an address without http:// before it is one", async () => {
    const server = await serve((request, response) => answer(request, response, content));
    const { seen, address } = await proxy();
    await get(`${server.url}/x`, { http_proxy: address });
    expect(seen).toHaveLength(1);
  });

  test.each(["127.0.0.1", "*", "example.org, 127.0.0.1"])("NO_PROXY=%s goes past it", async (noProxy) => {
    const server = await serve((request, response) => answer(request, response, content));
    const { seen, address } = await proxy();
    await get(`${server.url}/x`, { HTTP_PROXY: `http://${address}`, NO_PROXY: noProxy });
    expect(seen).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  test("HTTPS_PROXY is asked for a tunnel, and its refusal is told", async () => {
    const { seen, address } = await proxy();
    const failed = get("https://weights.invalid/x", { HTTPS_PROXY: `http://me:secret@${address}` });
    const error = await failed.catch((thrown: unknown) => thrown);
    expect(seen).toEqual(["CONNECT weights.invalid:443"]);
    expect(connectionFailure(error)).toEqual({
      what: "the proxy answered 403; see HTTPS_PROXY and NO_PROXY",
      again: false,
    });
    expect(String(error)).not.toContain("secret");
  });

  test.each(["ftp://proxy.example", "http://", "http://a b"])("%s is refused, and not repeated", async (value) => {
    const opened = openClient({ environment: { HTTPS_PROXY: value }, stallMs: 1000 });
    await expect(opened).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: "HTTPS_PROXY requires the address of a proxy, such as http://proxy.example:8080.",
    });
  });
});

test.each(["socks5://me:secret@proxy.example:1080", "socks://proxy.example", "SOCKS4A://proxy.example"])(
  "%s is refused as a SOCKS proxy",
  async (value) => {
    const opened = openClient({ environment: { https_proxy: value }, stallMs: 1000 });
    await expect(opened).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringMatching(/^HTTPS_PROXY requires .*SOCKS proxies are not supported\.$/),
    });
    await expect(opened).rejects.not.toThrow("secret");
  },
);

describe("the failure of a connection", () => {
  const coded = (code: string, message = "failed"): Error => Object.assign(new Error(message), { code });
  test.each([
    [coded("ECONNRESET"), true, "reset"],
    [coded("ENOTFOUND"), false, "unknown"],
    [coded("UND_ERR_BODY_TIMEOUT"), true, "stalled"],
    [new Error("fetch failed", { cause: coded("ECONNREFUSED") }), true, "refused"],
    [new AggregateError([coded("ENETUNREACH"), coded("ETIMEDOUT")]), true, "no network"],
    [coded("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"), false, "NODE_EXTRA_CA_CERTS"],
    [coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), false, "NODE_EXTRA_CA_CERTS"],
    [coded("HPE_INVALID_CONSTANT", "Parse Error"), true, "Parse Error"],
  ])("%s", (error, again, what) => {
    expect(connectionFailure(error)).toEqual({ again, what: expect.stringContaining(what) });
  });

  test("other errors are not the connection's", () => {
    for (const error of [new Error("x"), new TypeError("x"), "x", undefined, coded("ENOSPC")])
      expect(connectionFailure(error)).toBeUndefined();
    const loop = new Error("x");
    loop.cause = loop;
    expect(connectionFailure(loop)).toBeUndefined();
  });
});
