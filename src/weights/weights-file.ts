/** One published file of weights, and the forms in which people name one: a URL, or `hf://owner/repo/path@revision`. */
import { createHash } from "node:crypto";
import { RootstockError } from "../errors.ts";
import { type Checksum, checksumFault } from "./checksum.ts";

/** Where a file of weights is published, what it is called in the cache, and how its bytes are known. */
export interface WeightsFile {
  /** `https://…`, `http://…`, or `hf://owner/repo/path@revision`; without a revision it is "main". */
  readonly url: string;
  /** Name in the cache: letters, digits and `. _ - + @`, unique among all records. */
  readonly file: string;
  /** Size, where it is known: another size is refused before anything is loaded. */
  readonly bytes?: number | undefined;
  /** Size of the file in bytes as the publisher rounds it, where `bytes` is not known: much more is not loaded. */
  readonly approximateBytes?: number | undefined;
  /**
   * Sum of the content. Without one, a file of the Hugging Face hub is checked against the SHA-256 that the hub gives
   * for large files, and any other file against its length alone.
   */
  readonly hash?: Checksum | undefined;
}

/** A file in a repository of the Hugging Face hub. */
export interface HubPath {
  readonly owner: string;
  readonly repo: string;
  /** Path in the repository, with forward slashes. */
  readonly path: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** The file that repositories of timm and transformers keep their weights in. */
const USUAL_HUB_FILE = "model.safetensors";
const LONGEST_NAME = 160;

/**
 * The record of a file that somebody named by its address.
 * @throws RootstockError BAD_CONFIG unless it is an http(s) URL or `hf://owner/repo[/path][@revision]`.
 */
export function weightsFileAt(address: string): WeightsFile {
  const hub = parseHubPath(address) ?? parseHubPage(address);
  if (hub) return { url: formatHubPath(hub), file: nameOfHubPath(hub) };
  const url = parseUrl(address);
  const last = decodeSafely(url.pathname.split("/").at(-1) ?? "");
  return { url: address, file: withDigest(safe(last) || "weights", `${url.host}${url.pathname}${url.search}`) };
}

/** Whether a text is meant as an address, not as the name of a model. */
export function isAddress(text: string): boolean {
  return /^(https?:\/\/|hf:)/i.test(text);
}

/**
 * Reads `hf://owner/repo/path@revision`, also as `hf:…` and with the revision behind the repository. Without a path it
 * is model.safetensors. Undefined if the text does not start with `hf:`.
 * @throws RootstockError BAD_CONFIG if the rest cannot be read.
 */
export function parseHubPath(text: string): HubPath | undefined {
  if (!/^hf:/i.test(text)) return undefined;
  const [, owner = "", repo = "", early, path = USUAL_HUB_FILE, late] =
    /^hf:(?:\/\/)?([^/@]+)\/([^/@]+)(?:@([^/@]+))?(?:\/([^@]+))?(?:@([^@]+))?$/i.exec(text) ?? [];
  const revision = early ?? late ?? "main";
  const names = [owner, repo].every((name) => /^[\w-][\w.-]*$/.test(name));
  const parts = [...path.split("/"), ...revision.split("/")];
  if (!names || (early && late) || parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new RootstockError(
      "BAD_CONFIG",
      `a file of the Hugging Face hub requires hf://owner/repo/path@revision, such as hf://timm/resnet18.a1_in1k/model.safetensors, got "${text}".`,
    );
  }
  return { owner, repo, path, revision };
}

/** Path of a hub file below the hub's address: /owner/repo/resolve/revision/path. */
export function resolvePathOf({ owner, repo, path, revision }: HubPath): string {
  const file = path.split("/").map(encodeURIComponent).join("/");
  return `/${owner}/${repo}/resolve/${encodeURIComponent(revision)}/${file}`;
}

/**
 * Checks a record before it is used.
 * @throws RootstockError BAD_CONFIG with what is wrong.
 */
export function checkWeightsFile({ url, file, bytes, approximateBytes, hash }: WeightsFile): void {
  const refuse = (what: string): never => {
    throw new RootstockError("BAD_CONFIG", `the record of weights file "${file}" cannot be used: ${what}.`);
  };
  if (!isSafeName(file)) refuse(`its name requires letters, digits and . _ - + @, at most ${LONGEST_NAME} of them`);
  if (!parseHubPath(url)) parseUrl(url);
  for (const size of [bytes, approximateBytes])
    if (size !== undefined && !(Number.isSafeInteger(size) && size > 0)) refuse(`bytes are ${size}`);
  const fault = hash && checksumFault(hash);
  if (fault) refuse(fault);
}

/** Whether a name can be a file on every system and is neither hidden nor a path. */
export function isSafeName(name: string): boolean {
  const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i; // device names of Windows
  return name.length <= LONGEST_NAME && /^[\w@+-][\w.@+-]*$/.test(name) && !name.endsWith(".") && !reserved.test(name);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    const got = url ? `one that starts with ${url.protocol}` : "something else";
    throw new RootstockError("BAD_CONFIG", `weights require an https:// or hf:// address, got ${got}.`);
  }
  return url;
}

/** The page of a file on huggingface.co, as people copy it from the browser. */
function parseHubPage(text: string): HubPath | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.origin !== "https://huggingface.co") return undefined;
  const [, owner, repo, kind, revision, ...path] = url.pathname.split("/").map(decodeSafely);
  if (!owner || !repo || !revision || path.length === 0 || (kind !== "blob" && kind !== "resolve")) return undefined;
  return { owner, repo, revision, path: path.join("/") };
}

function formatHubPath({ owner, repo, path, revision }: HubPath): string {
  return `hf://${owner}/${repo}/${path}${revision === "main" ? "" : `@${revision}`}`;
}

function nameOfHubPath(hub: HubPath): string {
  const revision = hub.revision === "main" ? [] : [hub.revision];
  const name = [hub.owner, hub.repo, ...revision, ...hub.path.split("/")].join("--");
  return isSafeName(name) ? name : withDigest(safe(name), formatHubPath(hub));
}

/** The name with eight digits of what it stands for before its extension: names of different files differ. */
function withDigest(name: string, source: string): string {
  const digits = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const dot = name.lastIndexOf(".");
  const [stem, extension] = dot > 0 && name.length - dot <= 12 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  const whole = `${stem.slice(0, 100)}-${digits}${extension}`;
  return isSafeName(whole) ? whole : `weights-${digits}`;
}

function safe(name: string): string {
  return name.replace(/[^\w.@+-]+/g, "-").replace(/^[.-]+|[.-]+$/g, "");
}

/** Text without its percent signs; as it is where they encode nothing. */
export function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
