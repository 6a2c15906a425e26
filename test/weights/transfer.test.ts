import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { download } from "../../src/weights/download.ts";
import { partialPathOf } from "../../src/weights/partial.ts";
import { answer, hexOf, serve, someContent } from "./server.ts";
import { inTurn, status, trial } from "./trial.ts";

describe("starts over", () => {
  test("when the server ignores Range", async () => {
    const { content } = someContent();
    const { run, target } = await trial();
    const served = { etag: '"a"', ranges: false };
    const server = await inTurn(content, { ...served, cutAfter: 100_000 }, served);
    await run(server);
    expect(server.requests[1]!.headers.range).toBeDefined();
    expect((await readFile(target)).equals(content)).toBe(true);
  });

  test("when the file on the server changed", async () => {
    const [old, fresh] = [someContent(), someContent(200_000)];
    const { run, target } = await trial();
    let count = 0;
    const server = await serve((request, response) =>
      count++ === 0
        ? answer(request, response, old.content, { etag: '"old"', cutAfter: 250_000 })
        : answer(request, response, fresh.content, { etag: '"new"' }),
    );
    await run(server);
    expect((await readFile(target)).equals(fresh.content)).toBe(true);
  });

  test("when the file changed and the server does not understand If-Range", async () => {
    const [old, fresh] = [someContent(), someContent()];
    const { run, target } = await trial();
    let count = 0;
    const server = await serve((request, response) => {
      delete request.headers["if-range"];
      if (count++ === 0) answer(request, response, old.content, { etag: '"old"', cutAfter: 250_000 });
      else answer(request, response, fresh.content, { etag: '"new"' });
    });
    await run(server);
    expect((await readFile(target)).equals(fresh.content)).toBe(true);
  });

  test("when the parts of two versions that nothing tells apart do not make the right file", async () => {
    const [old, right] = [someContent(), someContent()];
    const { run, target } = await trial();
    let count = 0;
    const server = await serve((request, response) =>
      count++ === 0
        ? answer(request, response, old.content, { cutAfter: 100_000 })
        : answer(request, response, right.content),
    );
    await run(server, { hash: { kind: "sha256", value: right.sha256 } });
    expect(server.requests).toHaveLength(3);
    expect((await readFile(target)).equals(right.content)).toBe(true);
  });

  test("when the server sends another part than it was asked for", async () => {
    const { content } = someContent();
    const { run, target } = await trial();
    let count = 0;
    const server = await serve((request, response) => {
      if (count++ !== 1) answer(request, response, content, count === 1 ? { cutAfter: 100_000 } : {});
      else {
        const part = content.subarray(5, 1000);
        const range = `bytes 5-999/${content.length}`;
        response.writeHead(206, { "content-range": range, "content-length": part.length }).end(part);
      }
    });
    await run(server);
    expect((await readFile(target)).equals(content)).toBe(true);
  });

  test("on 416, when the partial file is longer than the server's", async () => {
    const [old, fresh] = [someContent(), someContent(50_000)];
    const { run, target } = await trial();
    let count = 0;
    const server = await serve((request, response) => {
      if (count++ === 0) answer(request, response, old.content, { cutAfter: 250_000 });
      else answer(request, response, fresh.content);
    });
    await run(server);
    expect(server.requests).toHaveLength(3);
    expect((await readFile(target)).equals(fresh.content)).toBe(true);
  });

  test("when what was kept came from another address, or its note is cut off", async () => {
    const { content } = someContent();
    for (const note of ['{"address":"elsewhere"}', '{"addr', undefined]) {
      const { run, target, left } = await trial();
      await writeFile(partialPathOf(target), "x".repeat(400_000));
      if (note !== undefined) await writeFile(`${partialPathOf(target)}.json`, note);
      const server = await inTurn(content, {});
      await run(server);
      expect(server.requests[0]!.headers.range).toBeUndefined();
      expect((await readFile(target)).equals(content)).toBe(true);
      expect(await left()).toEqual(["weights.bin"]);
    }
  });
});

test("a partial file that is whole needs no request", async () => {
  const { content, sha256 } = someContent();
  const { run, target, left } = await trial();
  const server = await inTurn(content, status(500));
  const address = hexOf("sha256", Buffer.from(`${server.url}/weights.bin`));
  await writeFile(partialPathOf(target), content);
  await writeFile(`${partialPathOf(target)}.json`, JSON.stringify({ address, bytes: content.length }));
  await run(server, { hash: { kind: "sha256", value: sha256 } });
  expect(server.requests).toHaveLength(0);
  expect(await left()).toEqual(["weights.bin"]);
});

test("416 right behind the last byte means that all is there, where no length was known", async () => {
  const { content, sha256 } = someContent();
  const { run, target } = await trial();
  const server = await inTurn(content, {});
  const address = hexOf("sha256", Buffer.from(`${server.url}/weights.bin`));
  await writeFile(partialPathOf(target), content);
  await writeFile(`${partialPathOf(target)}.json`, JSON.stringify({ address }));
  await run(server, { hash: { kind: "sha256", value: sha256 } });
  expect(server.requests).toHaveLength(1);
  expect((await readFile(target)).equals(content)).toBe(true);
});

describe("wrong content leaves nothing", () => {
  const page = Buffer.from("\n<!DOCTYPE html>\n<html><title>Log in</title></html>");
  const { content, sha256 } = someContent();

  test.each([
    ["a login page", page, { headers: { "content-type": "text/html; charset=utf-8" } }, {}, "a web page"],
    ["a login page of another type", page, {}, {}, "a web page"],
    ["a login page of another length", page, {}, { bytes: 1_000_000 }, "instead of 1000000"],
    ["a file that is too short", content, {}, { bytes: content.length + 1 }, "instead of 300001"],
    ["a file that is too long", content, {}, { bytes: content.length - 1 }, "instead of 299999"],
    ["a compressed file", content, { headers: { "content-encoding": "gzip" } }, {}, "encoded (gzip)"],
  ])("%s", async (_what, body, served, record, message) => {
    const { run, left } = await trial();
    const server = await inTurn(body, served);
    await expect(run(server, record)).rejects.toMatchObject({
      code: "DOWNLOAD",
      message: expect.stringContaining(message),
    });
    expect(server.requests).toHaveLength(1);
    expect(await left()).toEqual([]);
  });

  test("an endless body without a length is cut off", async () => {
    const hash = { kind: "sha256", value: sha256 } as const;
    const endless = await serve((_request, response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" });
      const pump = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(100_000)));
        if (!response.destroyed) response.once("drain", pump);
      };
      pump();
    });
    for (const [record, options] of [
      [{ bytes: 1_000_000 }, {}],
      [{}, { maxBytes: 1_000_000 }],
      [{ approximateBytes: 500_000 }, { maxBytes: 1_000_000 }],
    ] as const) {
      const { run, left } = await trial();
      await expect(run(endless, { hash, ...record }, options)).rejects.toThrow("more than 1000000 bytes");
      expect(await left()).toEqual([]);
    }
    const about = { hash, approximateBytes: 500_000 };
    const { run, left } = await trial();
    await expect(run(endless, about)).rejects.toThrow("more than 2000000 bytes, where about 500000 are expected");
    expect(await left()).toEqual([]);
  });

  test("a file much larger than the record says is refused before it is loaded", async () => {
    for (const [approximateBytes, length] of [
      [500_000, 2_000_001],
      [1, 9e14],
    ] as const) {
      const { run, left } = await trial();
      const announces = await inTurn(content, (response) => {
        response.writeHead(200, { "content-length": String(length) });
        response.write("x");
      });
      await expect(run(announces, { approximateBytes })).rejects.toThrow(`about ${approximateBytes} are expected`);
      expect(await left()).toEqual([]);
    }
  });

  test("a file over the limit is refused before it is loaded", async () => {
    const { run, left } = await trial();
    await expect(run(await inTurn(content, {}), {}, { maxBytes: 1000 })).rejects.toThrow("more than 1000 bytes");
    expect(await left()).toEqual([]);
  });

  test("a length that promises too much is reported, and a sum tells that the file is not right", async () => {
    const { run, target } = await trial();
    const lies = await serve((_request, response) => {
      response.writeHead(200, { "content-length": content.length + 5000 });
      response.write(content, () => response.destroy());
    });
    await expect(run(lies, { hash: { kind: "sha256", value: sha256 } })).rejects.toMatchObject({ code: "DOWNLOAD" });
    expect(existsSync(target)).toBe(false);
  });

  test("a length that promises too little makes no file where a size or a sum is known", async () => {
    const lies = await serve((request) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: "a"\r\n\r\n`;
      request.socket.write(Buffer.concat([Buffer.from(head), content]));
    });
    for (const record of [{ hash: { kind: "sha256", value: sha256 } as const }, { bytes: content.length }]) {
      const { run, target } = await trial();
      await expect(run(lies, record)).rejects.toThrow();
      expect(existsSync(target)).toBe(false);
    }
  });

  test("an end that cannot be told from a broken connection makes no file without a sum", async () => {
    const closes = (bytes: Uint8Array) =>
      serve((request) => {
        const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        request.socket.end(Buffer.concat([Buffer.from(head), bytes]));
      });
    const first = await trial();
    await expect(first.run(await closes(content))).rejects.toThrow("neither its length nor its sum");
    const second = await trial();
    await second.run(await closes(content), { hash: { kind: "sha256", value: sha256 } });
    expect((await readFile(second.target)).equals(content)).toBe(true);
    const third = await trial();
    const cut = third.run(await closes(content.subarray(0, 1000)), { hash: { kind: "sha256", value: sha256 } });
    await expect(cut).rejects.toThrow("not the whole file 5 times");
    expect(await third.left()).toEqual([]);
  });
});

describe("a disk that cannot take the file", () => {
  test.skipIf(!existsSync("/dev/full"))("full: says so, and that it goes on later", async () => {
    const { run, target } = await trial();
    const { content } = someContent();
    const server = await inTurn(content, {});
    await symlink("/dev/full", partialPathOf(target));
    await expect(run(server)).rejects.toMatchObject({
      code: "CANNOT_WRITE",
      message: expect.stringMatching(/the disk is full \(ENOSPC.*Make room and run it again/),
    });
    expect(existsSync(target)).toBe(false);
  });

  test("too small: refused before a byte is written", async () => {
    const { run } = await trial();
    const server = await inTurn(new Uint8Array(1), (response) => {
      response.writeHead(200, { "content-length": String(9e14) });
      response.write("x");
    });
    await expect(run(server, { bytes: 9e14 })).rejects.toMatchObject({
      code: "CANNOT_WRITE",
      message: expect.stringMatching(/requires 900000000000000 bytes in .*are free/),
    });
  });

  test("not a folder, or a folder in the way", async () => {
    const { run, target, folder } = await trial();
    const server = await inTurn(new Uint8Array(10), {});
    await mkdir(target);
    await writeFile(join(target, "mine"), "");
    await expect(run(server)).rejects.toMatchObject({ code: "CANNOT_WRITE" });
    expect(await readdir(target)).toEqual(["mine"]);
    const record = { url: `${server.url}/x`, file: "x" };
    await expect(download(record, join(folder, "absent", "x"), { environment: {} })).rejects.toMatchObject({
      code: "CANNOT_WRITE",
    });
  });
});
