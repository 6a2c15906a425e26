/** What an answer says: the fields that a download goes by, and what a status other than success means. */
import { type Address, shownUrl } from "./addresses.ts";
import type { PartialFile } from "./partial.ts";
import type { HttpResponse } from "./request.ts";

type Answer = Pick<HttpResponse, "status" | "header" | "url">;

/** Headers that ask for the rest of a file: from the first missing byte, if it is still the same version. */
export function stillToCome({ position, origin }: Pick<PartialFile, "position" | "origin">): Record<string, string> {
  if (position === 0) return {};
  const validator = origin?.validator;
  return { range: `bytes=${position}-`, ...(validator === undefined ? {} : { "if-range": validator }) };
}

/** What If-Range may name (RFC 9110, 13.1.5): a strong entity tag, else the time of the last change. */
export function validatorOf({ header }: Pick<Answer, "header">): string | undefined {
  const tag = header("etag");
  return tag?.startsWith('"') ? tag : header("last-modified");
}

/** Content-Length of a response that is not encoded, or undefined. */
export function sizeOf({ header }: Pick<Answer, "header">): number | undefined {
  const length = header("content-length") ?? "";
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** Whether the end of a response can be told from a broken connection. */
export function isDelimited(response: Pick<Answer, "header">): boolean {
  return sizeOf(response) !== undefined || /chunked/i.test(response.header("transfer-encoding") ?? "");
}

/** The compression of a response, which changes its bytes and its length; undefined for none. */
export function encodingOf({ header }: Pick<Answer, "header">): string | undefined {
  return /\b(x-gzip|gzip|deflate|compress|br|zstd)\b/i.exec(header("content-encoding") ?? "")?.[0];
}

/** Whether a response is a web page: by its type, or by how its first bytes start. No format of weights does so. */
export function looksLikeHtml({ header }: Pick<Answer, "header">, start: Uint8Array = new Uint8Array()): boolean {
  if (/^\s*(text\/html|application\/xhtml)/i.test(header("content-type") ?? "")) return true;
  const text = Buffer.from(start.subarray(0, 200)).toString("latin1");
  return /^(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)[\s>]/i.test(text);
}

/** Milliseconds that Retry-After asks for: seconds, or a date, read against the server's own clock. */
export function retryAfter({ header }: Pick<Answer, "header">): number | undefined {
  const asked = header("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(asked)) return Number(asked) * 1000;
  const ms = Date.parse(asked) - Date.parse(header("date") ?? "");
  return ms > 0 ? ms : undefined;
}

/** A status other than success, for people, and whether the same request may succeed later. */
export function failureOf(response: Answer, address: Address): { readonly what: string; readonly again: boolean } {
  const { status, header, url } = response;
  const where = shownUrl(address.url);
  const said = header("x-error-message");
  const server = `${url.host} answered ${status}${said ? ` (${said.replace(/[^\x20-\x7e]/g, "?").slice(0, 200)})` : ""}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { what: server, again: true };
  if (status === 401 || status === 403) {
    const advice = address.hub
      ? "The repository may not exist, or require HF_TOKEN and the acceptance of its terms on its page."
      : "Load the file with your browser or another program, and pass its path.";
    return { what: `cannot download ${where}: ${server}. ${advice}`, again: false };
  }
  if (status === 404 || status === 410)
    return {
      what: `cannot download ${where}: ${server}. There is no such file; check the address, and ROOTSTOCK_MIRROR or HF_ENDPOINT if one is set.`,
      again: false,
    };
  return { what: `cannot download ${where}: ${server}.`, again: false };
}
