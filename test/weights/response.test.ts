import { describe, expect, test } from "vitest";
import { addressOf } from "../../src/weights/addresses.ts";
import {
  encodingOf,
  failureOf,
  isDelimited,
  looksLikeHtml,
  retryAfter,
  sizeOf,
  stillToCome,
  validatorOf,
} from "../../src/weights/response.ts";

const DATE = "Wed, 21 Oct 2015 07:28:00 GMT";

function answered(headers: Record<string, string> = {}, status = 200) {
  return { status, url: new URL("https://a.org/x?key=secret"), header: (name: string) => headers[name] };
}

test.each([
  [{ etag: '"a"', "last-modified": DATE }, '"a"'],
  [{ etag: 'W/"a"', "last-modified": DATE }, DATE],
  [{ etag: "a" }, undefined],
  [{}, undefined],
])("%j is named by %s", (headers, expected) => {
  expect(validatorOf(answered(headers))).toBe(expected);
});

test("the rest of a file is asked for, under the condition that it is the same version", () => {
  const origin = { address: "x", validator: '"a"' };
  expect(stillToCome({ position: 0, origin })).toEqual({});
  expect(stillToCome({ position: 7, origin })).toEqual({ range: "bytes=7-", "if-range": '"a"' });
  expect(stillToCome({ position: 7, origin: { address: "x" } })).toEqual({ range: "bytes=7-" });
});

test.each([
  ["12", 12],
  ["0", 0],
  ["", undefined],
  ["-1", undefined],
  ["1e3", undefined],
  ["12, 12", undefined],
  ["9".repeat(30), undefined],
])("Content-Length %j is %s", (value, expected) => {
  expect(sizeOf(answered({ "content-length": value }))).toBe(expected);
});

test("an end is known from a length or from chunks", () => {
  expect(isDelimited(answered({ "content-length": "1" }))).toBe(true);
  expect(isDelimited(answered({ "transfer-encoding": "chunked" }))).toBe(true);
  expect(isDelimited(answered())).toBe(false);
});

test.each([
  ["gzip", "gzip"],
  ["identity", undefined],
  ["aws-chunked", undefined],
  ["aws-chunked, br", "br"],
])("Content-Encoding %s: %s", (value, expected) => {
  expect(encodingOf(answered({ "content-encoding": value }))).toBe(expected);
});

describe("a web page", () => {
  test.each(["<!DOCTYPE html><html>", "\n \t<html lang='en'>", "\u00ef\u00bb\u00bf<!doctype HTML>", "<HEAD><title>"])(
    "%j is one",
    (start) => {
      expect(looksLikeHtml(answered(), Buffer.from(start, "latin1"))).toBe(true);
    },
  );

  test.each(["PK\u0003\u0004", "<htmlish", '{"html":1}', "\u0080\u0002}q", ""])("%j is none", (start) => {
    expect(looksLikeHtml(answered(), Buffer.from(start, "latin1"))).toBe(false);
  });

  test("is known by its type too", () => {
    expect(looksLikeHtml(answered({ "content-type": "text/html; charset=utf-8" }))).toBe(true);
    expect(looksLikeHtml(answered({ "content-type": "application/octet-stream" }))).toBe(false);
  });
});

test.each([
  [{ "retry-after": "3" }, 3000],
  [{ "retry-after": "Wed, 21 Oct 2015 07:28:05 GMT", date: DATE }, 5000],
  [{ "retry-after": "Wed, 21 Oct 2015 07:27:05 GMT", date: DATE }, undefined],
  [{ "retry-after": "Wed, 21 Oct 2015 07:28:05 GMT" }, undefined],
  [{ "retry-after": "soon", date: DATE }, undefined],
  [{}, undefined],
])("%j waits %s ms", (headers, expected) => {
  expect(retryAfter(answered(headers))).toBe(expected);
});

describe("a status", () => {
  const address = addressOf("https://a.org/x?key=secret", {});
  test.each([
    [500, true],
    [599, true],
    [429, true],
    [408, true],
    [400, false],
    [404, false],
    [451, false],
    [204, false],
  ])("%d may change: %s", (status, again) => {
    const failure = failureOf(answered({}, status), address);
    expect(failure.again).toBe(again);
    expect(failure.what).toContain(`a.org answered ${status}`);
    expect(failure.what).not.toContain("secret");
  });

  test("what the server says is shown without control characters, and not at any length", () => {
    const headers = { "x-error-message": `no\u001b[2Jaccess${"x".repeat(500)}` };
    const { what } = failureOf(answered(headers, 403), addressOf("hf://o/r/f", {}));
    expect(what).toContain("(no?[2Jaccess");
    expect(what).toContain("HF_TOKEN");
    expect(what.length).toBeLessThan(500);
  });
});
