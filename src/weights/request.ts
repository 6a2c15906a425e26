/** One request for a file, and where it leads: proxies, redirects, and what a failed connection means. */
import type { Dispatcher } from "undici";
import { messageOf, RootstockError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { type Address, shownUrl } from "./addresses.ts";
import { chunksOf } from "./chunks.ts";

/** An answer whose body is arriving. */
export interface HttpResponse {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** The address that answered, after redirects. */
  readonly url: URL;
  /** What the Hugging Face hub says about a large file, whichever server keeps it. */
  readonly linked: { readonly sha256: string; readonly bytes: number | undefined } | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection without reading the body. */
  discard(): void;
}

export interface HttpClientOptions {
  /** Proxy variables are read from here. */
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds in which something must arrive. */
  readonly stallMs: number;
}

export interface HttpClient {
  /**
   * Asks for a file and follows redirects.
   * @throws RootstockError DOWNLOAD for a redirect that is not followed; what the connection fails with otherwise.
   */
  get(
    address: Address,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse>;
  close(): Promise<void>;
}

const MOST_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const CONNECT_MS = 15_000;

/**
 * Opens connections as the environment wants them: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case.
 * @throws RootstockError BAD_CONFIG if a proxy variable is no address of an HTTP proxy.
 */
export async function openClient({ environment, stallMs }: HttpClientOptions): Promise<HttpClient> {
  const { EnvHttpProxyAgent, request } = await import("undici"); // 0.1 s that only a download should cost
  const connect = { timeout: Math.min(CONNECT_MS, stallMs) };
  const agent = new EnvHttpProxyAgent({
    httpProxy: proxyOf("http_proxy", environment),
    httpsProxy: proxyOf("https_proxy", environment),
    noProxy: environment["no_proxy"] ?? environment["NO_PROXY"] ?? "",
    proxyTunnel: false, // plain http goes through a proxy as an ordinary request: many refuse a tunnel to port 80
    connect,
    requestTls: connect,
    proxyTls: connect,
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
  });
  const send = async (url: URL, headers: Record<string, string>, signal: AbortSignal | undefined) =>
    await request(url, { dispatcher: agent, method: "GET", headers, signal: signal ?? null });
  return {
    get: async (address, headers, signal) => await follow(address, headers, signal, send),
    close: async () => await agent.destroy(),
  };
}

type Send = (
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
) => Promise<Dispatcher.ResponseData>;

async function follow(
  address: Address,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
  send: Send,
): Promise<HttpResponse> {
  let url = address.url;
  let linked: HttpResponse["linked"];
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const authorization = address.authorization(url.origin); // per hop: no other server sees it
    const {
      statusCode,
      headers: answered,
      body,
    } = await send(
      url,
      {
        "user-agent": `rootstock/${VERSION}`,
        "accept-encoding": "identity", // sums and lengths are those of the file itself
        ...headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      signal,
    );
    const header = (name: string): string | undefined => {
      const value = answered[name];
      return Array.isArray(value) ? value[0] : value;
    };
    const chunks = chunksOf(body);
    const discard = (): void => void body.destroy();
    if (url.origin === address.hub) linked ??= linkedFile(header);
    if (!REDIRECTS.has(statusCode)) return { status: statusCode, header, url, linked, body: chunks, discard };
    discard();
    url = redirectTarget(url, header("location"));
  }
  throw new RootstockError(
    "DOWNLOAD",
    `${shownUrl(address.url)} was redirected more than ${MOST_REDIRECTS} times, lastly to ${shownUrl(url)}.`,
  );
}

/**
 * Where a redirect leads. From https only to https.
 * @throws RootstockError DOWNLOAD if it leads nowhere that may be asked.
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const refuse = (why: string): never => {
    throw new RootstockError("DOWNLOAD", `${shownUrl(from)} redirects ${why}.`);
  };
  if (!location || !URL.canParse(location, from.href)) return refuse("without saying where");
  const to = new URL(location, from);
  if (to.protocol === "http:" && from.protocol === "https:")
    return refuse(`from https to ${shownUrl(to)}, which anybody on the way could change; it is not followed`);
  if (to.protocol !== "https:" && to.protocol !== "http:")
    return refuse(`to an address that starts with ${to.protocol}; it is not followed`);
  to.username = "";
  to.password = "";
  return to;
}

/** X-Linked-Etag of a file in large-file storage is its SHA-256; of a small file it is a git hash and says nothing here. */
function linkedFile(header: (name: string) => string | undefined): HttpResponse["linked"] {
  const [, sha256] = /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(header("x-linked-etag") ?? "") ?? [];
  if (sha256 === undefined) return undefined;
  const bytes = Number(header("x-linked-size") ?? Number.NaN);
  return { sha256: sha256.toLowerCase(), bytes: Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined };
}

function proxyOf(name: string, environment: NodeJS.ProcessEnv): string {
  const text = environment[name] ?? environment[name.toUpperCase()] ?? "";
  if (text === "") return "";
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(withScheme) && /^https?:$/.test(new URL(withScheme).protocol)) return withScheme;
  const socks = /^socks/i.test(withScheme) ? "; SOCKS proxies are not supported" : "";
  throw new RootstockError(
    "BAD_CONFIG",
    `${name.toUpperCase()} requires the address of a proxy, such as http://proxy.example:8080${socks}.`,
  );
}

/** What the failure of a connection means. */
export interface ConnectionFailure {
  /** For a sentence: "the server name is unknown". */
  readonly what: string;
  /** Whether the same request may succeed later. */
  readonly again: boolean;
}

const FAILURES: Readonly<Record<string, ConnectionFailure>> = {
  ENOTFOUND: { what: "the name of the server is unknown, or there is no network", again: false },
  EAI_AGAIN: { what: "the name of the server could not be looked up; there may be no network", again: true },
  ENETUNREACH: { what: "there is no network", again: true },
  EHOSTUNREACH: { what: "the server cannot be reached", again: true },
  ECONNREFUSED: { what: "the server refused the connection", again: true },
  ECONNRESET: { what: "the connection was reset", again: true },
  EPIPE: { what: "the connection was closed", again: true },
  ETIMEDOUT: { what: "the connection timed out", again: true },
  UND_ERR_CONNECT_TIMEOUT: { what: "the server did not accept the connection in time", again: true },
  UND_ERR_HEADERS_TIMEOUT: { what: "the server did not answer in time", again: true },
  UND_ERR_BODY_TIMEOUT: { what: "the transfer stalled", again: true },
  UND_ERR_SOCKET: { what: "the connection was closed in the middle", again: true },
};

/** Explains why a request failed; undefined for an error that is not the connection's. */
export function connectionFailure(error: unknown): ConnectionFailure | undefined {
  const codes = codesOf(error);
  const known = codes.map((code) => FAILURES[code]).find((failure) => failure !== undefined);
  if (known) return known;
  const message = messageOf(error);
  const refused = /Proxy response \((\d+)\)/.exec(message)?.[1];
  if (refused !== undefined)
    return { what: `the proxy answered ${refused}; see HTTPS_PROXY and NO_PROXY`, again: Number(refused) >= 500 };
  if (codes.some((code) => /CERT|SIGNATURE|ISSUER/.test(code)))
    return { what: `its certificate is not trusted (${message}); see NODE_EXTRA_CA_CERTS`, again: false };
  const ofHttp = codes.some((code) => /^(UND_ERR_|HPE_|ERR_SSL_|ERR_TLS_|ERR_STREAM_PREMATURE)/.test(code));
  return ofHttp ? { what: `the connection failed (${message})`, again: true } : undefined;
}

/** The codes of an error, of its causes, and of the errors that it gathers. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const code = "code" in error && typeof error.code === "string" ? [error.code] : [];
  const gathered = error instanceof AggregateError ? error.errors.flatMap((each) => codesOf(each, depth + 1)) : [];
  return [...code, ...gathered, ...codesOf(error.cause, depth + 1)];
}
