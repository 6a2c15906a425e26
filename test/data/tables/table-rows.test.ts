import { createWriteStream } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type BadRow, kindOfTable, MAX_ROW, readRows, type TableRow } from "../../../src/data/tables/table-rows.ts";
import { temporaryFolder } from "../made.ts";

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), name);
  await writeFile(file, content);
  return file;
}

/** Rows as [line, cells] or [line, problem]. */
async function rows(name: string, content: string | Uint8Array, delimiter?: string): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const row of readRows(await fileOf(name, content), { delimiter })) read.push(plain(row));
  return read;
}

function plain(row: TableRow | BadRow): unknown {
  return "problem" in row ? [row.line, row.problem] : [row.line, Object.fromEntries(row.cells)];
}

describe("CSV", () => {
  const expected = [
    [2, { image: "a.jpg", label: "cat" }],
    [3, { image: "b.jpg", label: "dog" }],
  ];

  test.each([
    ["plain", "image,label\na.jpg,cat\nb.jpg,dog\n"],
    ["without a last line end", "image,label\na.jpg,cat\nb.jpg,dog"],
    ["CRLF", "image,label\r\na.jpg,cat\r\nb.jpg,dog\r\n"],
    ["CR", "image,label\ra.jpg,cat\rb.jpg,dog\r"],
    ["mixed line ends", "image,label\r\na.jpg,cat\nb.jpg,dog\r"],
    ["a byte order mark", "\ufeffimage,label\na.jpg,cat\nb.jpg,dog"],
    ["semicolons", "image;label\na.jpg;cat\nb.jpg;dog\n"],
    ["tabs", "image\tlabel\na.jpg\tcat\nb.jpg\tdog\n"],
    ["spaces around cells", "image , label\n a.jpg , cat \nb.jpg,\tdog"],
    ["quotes", '"image","label"\n"a.jpg", "cat"\n"b.jpg","dog"\n'],
    ["unnamed columns", ",image,label,,\n0,a.jpg,cat,,\n1,b.jpg,dog,,x\n"],
  ])("is read: %s", async (_what, text) => {
    expect(await rows("t.csv", text)).toEqual(expected);
  });

  test("passes over a spreadsheet's hint and empty lines, and counts them", async () => {
    expect(await rows("t.csv", "sep=;\n\nimage;label\n\na,1.jpg;cat\n")).toEqual([
      [5, { image: "a,1.jpg", label: "cat" }],
    ]);
  });

  test("keeps what stands in quotes: delimiters, doubled quotes, line ends, spaces", async () => {
    const text = 'image,label\n"a, ""b"".jpg","two\nlines"\n" c ",d\n';
    expect(await rows("t.csv", text)).toEqual([
      [2, { image: 'a, "b".jpg', label: "two\nlines" }],
      [4, { image: " c ", label: "d" }],
    ]);
  });

  test("reports rows with other numbers of cells by line", async () => {
    expect(await rows("t.csv", "a,b\n1\n1,2\n1,2,3\n")).toEqual([
      [2, "has 1 cells where the header has 2"],
      [3, { a: "1", b: "2" }],
      [4, "has 3 cells where the header has 2"],
    ]);
  });

  test("takes a delimiter that is given, and tabs in .tsv", async () => {
    expect(await rows("t.csv", "a,x|b\n1,2|3\n", "|")).toEqual([[2, { "a,x": "1,2", b: "3" }]]);
    expect(await rows("t.TSV", "a,x\tb\n\t3\n")).toEqual([[2, { "a,x": "", b: "3" }]]);
  });

  test("names columns like properties of objects without harm", async () => {
    const file = await fileOf("t.csv", "__proto__,constructor\n1,2\n");
    for await (const row of readRows(file)) {
      expect("cells" in row && [...row.cells]).toEqual([
        ["__proto__", "1"],
        ["constructor", "2"],
      ]);
    }
    expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
  });

  test("survives pieces that end anywhere", async () => {
    const file = join(await temporaryFolder(), "t.csv");
    const stream = createWriteStream(file);
    stream.write("image,label\r\n");
    for (let i = 0; i < 20_000; i++) stream.write(`"ü${i}",${"x".repeat(i % 97)}\r\n`);
    await new Promise((resolve) => stream.end(resolve));
    let count = 0;
    for await (const row of readRows(file)) {
      expect(plain(row)).toEqual([count + 2, { image: `ü${count}`, label: "x".repeat(count % 97) }]);
      count++;
    }
    expect(count).toBe(20_000);
  });
});

describe("JSON Lines", () => {
  test("gives objects as they are, and names lines that are none", async () => {
    const deep = `{"a":${"[".repeat(20)}${"]".repeat(20)}}`;
    const text = ['{"image":"a.jpg","labels":["x","y"],"n":1.5}', "", "[1]", "7", "{oops", deep, '{"a":"[[{{"}'].join(
      "\r\n",
    );
    expect(await rows("t.jsonl", text)).toEqual([
      [1, { image: "a.jpg", labels: ["x", "y"], n: 1.5 }],
      [3, "is a list: every line must be one object"],
      [4, "is a single value: every line must be one object"],
      [5, "is no JSON: every line must be one object"],
      [6, "has values nested more than 16 deep"],
      [7, { a: "[[{{" }],
    ]);
    expect(await rows("t.ndjson", "[{}\n,{}]\n")).toEqual([
      [1, "is no JSON object: every line must be one object"],
      [2, "is no JSON: every line must be one object"],
    ]);
  });
});

describe("is refused", () => {
  const utf16 = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, "utf16le");

  test.each([
    ["UTF-16", "t.csv", utf16("a,b\n1,2\n"), /is UTF-16 text\. Save it as UTF-8/],
    ["UTF-16 without a mark", "t.csv", Buffer.from("a,b\n", "utf16le"), /zero characters/],
    ["Latin-1", "t.csv", Buffer.from("image,label\na.jpg,caf\xe9\n", "latin1"), /is not UTF-8 text near line 1/],
    ["cut UTF-8", "t.csv", Buffer.from("a\nü").subarray(0, 3), /is not UTF-8 text/],
    ["a workbook", "t.csv", Buffer.from("PK\x03\x04abc"), /is a spreadsheet or an archive/],
    ["gzip", "t.jsonl", Buffer.from([0x1f, 0x8b, 8, 0]), /is compressed/],
    ["nothing", "t.csv", "", /is empty/],
    ["empty lines", "t.csv", "\n \n\n", /is empty/],
    ["columns of one name", "t.csv", "a,b,a\n1,2,3\n", /has "a" twice/],
    ["a quote that is open", "t.csv", 'a,b\n1,2\n3,"4\n5,6\n', /from line 3: a quote is not closed/],
    ["a quote inside a cell", "t.csv", 'a,b\n1,2\n3,4"5\n', /from line 3: a quote stands inside a cell/],
    ["text after a quote", "t.csv", 'a,b\n1,"2"3\n', /from line 2: a quote stands inside/],
    ["a long row", "t.csv", `a\n${"x".repeat(MAX_ROW + 1)}`, /at most 1048576 characters/],
    ["a row of commas", "t.csv", `a\n${",".repeat(MAX_ROW + 1)}`, /at most 1048576 characters/],
    ["a long quoted cell", "t.csv", `a\n"${"x\n".repeat(MAX_ROW)}"`, /more than 1048576 characters/],
    ["many quoted line ends", "t.csv", `a\n${'"\n\n",'.repeat(MAX_ROW)}`, /more than 1048576 characters/],
    ["many columns", "t.csv", `${Array.from({ length: 16385 }, (_, i) => `c${i}`).join()}\n`, /at most 16384 columns/],
    ["a long line", "t.jsonl", `{}\n{"a":"${"x".repeat(MAX_ROW)}"}`, /line 2 is longer/],
    ["another ending", "t.xlsx", "", /requires a name that ends in .csv, .tsv, .jsonl, .ndjson/],
  ])("%s", async (_what, name, content, message) => {
    const error = await rows(name, content).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "BAD_DATA", message: expect.stringMatching(message) });
  });

  test("a file that is not there, a folder, a link to itself", async () => {
    const folder = await temporaryFolder();
    const read = async (file: string): Promise<void> => {
      for await (const _ of readRows(file));
    };
    await symlink("x.csv", join(folder, "x.csv"));
    await expect(read(join(folder, "none.csv"))).rejects.toThrow(/none.csv does not exist/);
    await expect(read(join(folder, "x.csv"))).rejects.toThrow(/leads to itself/);
    await expect(read("/dev/null.csv")).rejects.toMatchObject({ code: "BAD_DATA" });
  });
});

test("a row without end is given up at its limit, not read to the end of the file", async () => {
  const file = await fileOf("t.csv", `a,b\n${"1,".repeat(30_000_000)}`);
  const before = process.memoryUsage().rss;
  await expect(async () => {
    for await (const _ of readRows(file));
  }).rejects.toThrow(/at most 1048576 characters/);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
});

test("leaving the loop early closes the file", async () => {
  const file = await fileOf("t.csv", `a\n${"1\n".repeat(200_000)}`);
  for await (const row of readRows(file)) {
    expect(plain(row)).toEqual([2, { a: "1" }]);
    break;
  }
});

test("kindOfTable goes by the ending", () => {
  expect(["a.csv", "A.TSV", "x.jsonl", "x.ndjson", "x.json", "csv"].map(kindOfTable)).toEqual([
    "csv",
    "tsv",
    "jsonl",
    "jsonl",
    undefined,
    undefined,
  ]);
});

test("a long line without an end is looked through once, and columns are limited", async () => {
  const header = Array.from({ length: 16_000 }, (_, i) => `c${i}`).join(",");
  const started = performance.now();
  await expect(rows("t.csv", "a,".repeat(400_000))).rejects.toThrow(/at most 16384 columns, got 400001/);
  await expect(rows("t.csv", ` ${"x".repeat(1_000_000)}`)).resolves.toEqual([]);
  await expect(rows("t.csv", `${header}\n${"1,".repeat(15_999)}1`)).resolves.toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(5000); // a scan from each character takes minutes
});

test("names of columns lose the spaces around them, also in quotes", async () => {
  expect(await rows("t.csv", '" a ",b\n" 1 ",2\n')).toEqual([[2, { a: " 1 ", b: "2" }]]);
  await expect(rows("t.csv", 'a," a"\n1,2\n')).rejects.toThrow(/has "a" twice/);
});
