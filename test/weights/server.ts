/** An HTTP server on this machine that serves a file as well, or as badly, as a test needs. */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface TestServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** The same server under a name of another origin. */
  readonly otherOrigin: string;
  /** Every request in order. */
  readonly requests: readonly IncomingMessage[];
  stop(): Promise<void>;
}

/** Starts a server; it stops after the test. */
export async function serve(handler: RequestListener): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.on("error", () => {});
    handler(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo; // it listens on a port
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= new Promise((done) => server.close(() => done()));
    server.closeAllConnections();
    return stopped;
  };
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${port}`, otherOrigin: `http://localhost:${port}`, requests, stop };
}

export interface Served {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  /** Whether Range is honoured. */
  readonly ranges?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Bytes after which the connection breaks. */
  readonly cutAfter?: number | undefined;
  /** Bytes after which nothing more comes. */
  readonly stallAfter?: number | undefined;
}

/** Answers as a file server does (RFC 9110): 200, 206 for a range of this version, 416 behind the end. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  content: Uint8Array,
  { etag, lastModified, ranges = true, headers = {}, cutAfter, stallAfter }: Served = {},
): void {
  const validators = { ...(etag ? { etag } : {}), ...(lastModified ? { "last-modified": lastModified } : {}) };
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN);
  const ifRange = request.headers["if-range"];
  const current = ifRange === undefined || ifRange === etag || ifRange === lastModified;
  const partial = ranges && Number.isInteger(from) && current;
  if (partial && from >= content.length) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return;
  }
  const body = partial ? content.subarray(from) : content;
  response.writeHead(partial ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": body.length,
    ...(partial ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    ...validators,
    ...headers,
  });
  if (cutAfter !== undefined && cutAfter < body.length)
    response.write(body.subarray(0, cutAfter), () => response.destroy());
  else if (stallAfter !== undefined && stallAfter < body.length) response.write(body.subarray(0, stallAfter));
  else response.end(body);
}

/** Bytes that no other call returns, and their sums. */
export function someContent(bytes = 300_000): { content: Buffer; sha256: string; md5: string } {
  const content = randomBytes(bytes);
  return { content, sha256: hexOf("sha256", content), md5: hexOf("md5", content) };
}

export function hexOf(algorithm: string, content: Uint8Array): string {
  return createHash(algorithm).update(content).digest("hex");
}
