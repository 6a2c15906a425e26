/** Where a file is really fetched: mirrors, the Hugging Face hub, and which server may see which credentials. */
import { RootstockError } from "../errors.ts";
import { decodeSafely, parseHubPath, resolvePathOf } from "./weights-file.ts";

/** The address to ask first, and the credentials by origin. */
export interface Address {
  /** Without a user name or a password. */
  readonly url: URL;
  /** The Authorization header for a server, or undefined. */
  authorization(origin: string): string | undefined;
  /** Origin whose word about the SHA-256 of a hub file is taken, or undefined for other files. */
  readonly hub: string | undefined;
}

const HUB = "https://huggingface.co";
const TOKENS = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] as const;

/**
 * The address of a file under the settings of the environment. HF_ENDPOINT replaces https://huggingface.co;
 * ROOTSTOCK_MIRROR replaces scheme and host of everything else, and of the hub where HF_ENDPOINT is not set.
 * HF_TOKEN is for the hub alone; user name and password in an address are for its host alone.
 * @throws RootstockError BAD_CONFIG if one of them cannot be used.
 */
export function addressOf(source: string, environment: NodeJS.ProcessEnv): Address {
  const hubPath = parseHubPath(source);
  const published = new URL(hubPath ? HUB + resolvePathOf(hubPath) : source);
  const onHub = published.origin === HUB;
  const endpoint = environment["HF_ENDPOINT"] ? baseOf("HF_ENDPOINT", environment) : undefined;
  const mirror = environment["ROOTSTOCK_MIRROR"] ? baseOf("ROOTSTOCK_MIRROR", environment) : undefined;
  const base = (onHub ? endpoint : undefined) ?? mirror;
  const url = base ? new URL(base.href.replace(/\/+$/, "") + published.pathname + published.search) : published;
  const credentials = new Map<string, string>();
  const token = tokenOf(environment);
  const hub = endpoint ?? new URL(HUB);
  if (token !== undefined && isPrivate(hub)) credentials.set(hub.origin, `Bearer ${token}`);
  const { username, password } = url;
  if (username || password) credentials.set(url.origin, basic(username, password));
  url.username = "";
  url.password = "";
  return {
    url,
    authorization: (origin) => credentials.get(origin),
    hub: onHub ? url.origin : undefined,
  };
}

/** An address as messages show it: no user name, no password, and no query, which may hold a signature. */
export function shownUrl(url: URL | string): string {
  if (!URL.canParse(url.toString())) return "the address";
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search ? "?…" : ""}`;
}

function baseOf(name: string, environment: NodeJS.ProcessEnv): URL {
  const text = environment[name] ?? "";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new RootstockError(
      "BAD_CONFIG",
      `${name} requires the https:// address that files are below, such as https://mirror.example/weights.`,
    );
  }
  return url;
}

/** The token, which is never part of a message. */
function tokenOf(environment: NodeJS.ProcessEnv): string | undefined {
  const name = TOKENS.find((candidate) => environment[candidate]?.trim());
  if (!name) return undefined;
  const token = environment[name]!.trim();
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new RootstockError("BAD_CONFIG", `${name} requires a token of printable characters without spaces.`);
  return token;
}

/** Whether nobody on the way can read what is sent: https, or this machine. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${decodeSafely(username)}:${decodeSafely(password)}`).toString("base64")}`;
}
