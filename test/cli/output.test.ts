import { expect, test } from "vitest";
import { formatBytes, formatPercent, formatSeconds, Output, table } from "../../src/cli/output.ts";

function captured({ json = false, terminal = false } = {}) {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  let time = 0;
  const stream = (name: "stdout" | "stderr") => ({
    isTTY: terminal,
    write: (text: unknown) => written[name].push(String(text)) > 0,
  });
  const output = new Output({ stdout: stream("stdout"), stderr: stream("stderr"), json, clock: () => time });
  return {
    output,
    text: () => ({ stdout: written.stdout.join(""), stderr: written.stderr.join("") }),
    wait: (seconds: number) => {
      time += seconds;
    },
  };
}

test("results go to stdout and notes to stderr; with json stdout is one object", () => {
  const people = captured();
  people.output.result("a");
  people.output.note("b");
  people.output.json({ c: 1 });
  expect(people.text()).toEqual({ stdout: "a\n", stderr: "b\n" });
  const program = captured({ json: true });
  program.output.result("a");
  program.output.warn("b");
  program.output.json({ c: 1 });
  expect(program.text()).toEqual({ stdout: '{"c":1}\n', stderr: "a\nwarning  b\n" });
});

test("without a terminal progress is a plain line every few seconds and one at the end", () => {
  const { output, text, wait } = captured();
  const progress = output.progress("features", "img");
  for (let i = 1; i <= 120; i++) {
    wait(0.125);
    progress.update(i, 120);
  }
  progress.end();
  expect(text().stderr).toBe(
    "features  40/120  8.0 img/s  10 s left\nfeatures  80/120  8.0 img/s  5.0 s left\nfeatures  120/120  8.0 img/s  15 s\n",
  );
});

test("a stalled download says nothing of the time that is left", () => {
  const { output, text, wait } = captured();
  const progress = output.progress("download", "MB");
  for (const done of [0, 1e-6, 1]) {
    wait(5);
    progress.update(done, 5);
  }
  const lines = text().stderr.trim().split("\n");
  expect(lines).toEqual([
    "download  0/5  0.0 MB/s",
    "download  0.000001/5  0.0 MB/s",
    "download  1/5  0.1 MB/s  1:00 min left",
  ]);
});

test("on a terminal one line is redrawn, and other lines do not run into it", () => {
  const { output, text, wait } = captured({ terminal: true });
  const progress = output.progress("features", "img");
  wait(1);
  progress.update(1, 2);
  output.note("between");
  wait(1);
  progress.update(2, 2);
  progress.end();
  const lines = text().stderr.split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/features .*1\/2 {2}1\.0 img\/s {2}1\.0 s left$/);
  expect(lines[1]).toBe("between");
  expect(lines[2]).toMatch(/2\/2/);
});

test("formats", () => {
  expect([0.04, 9.96, 59.4, 61, 3725, Number.POSITIVE_INFINITY].map(formatSeconds)).toEqual([
    "0.0 s",
    "10.0 s",
    "59 s",
    "1:01 min",
    "1:02:05 h",
    "?",
  ]);
  expect([0, 999, 1000, 8_857_643, 2.5e12].map(formatBytes)).toEqual(["0 B", "999 B", "1.0 kB", "8.9 MB", "2.5 TB"]);
  expect(formatPercent(0.97386)).toBe("97.4 %");
  expect(
    table([
      ["a", "b"],
      ["long", "1"],
      ["猫", "10"],
    ]),
  ).toEqual(["a      b", "long   1", "猫     10"]);
});

test("control characters of names never reach the terminal", () => {
  const { output, text } = captured();
  output.note("a\u001b[2Jb\u0007c\u009bd\r\u001b[31mred\u001b[39m\tlast");
  output.result("\u001b[8mhidden \u202egnp.exe\u2028next");
  expect(text()).toEqual({
    stderr: "a\\u{1b}[2Jb\\u{7}c\\u{9b}d\\u{d}\u001b[31mred\u001b[39m\tlast\n",
    stdout: "\\u{1b}[8mhidden \\u{202e}gnp.exe\\u{2028}next\n",
  });
});

test("nor do they as JSON, which means the same", () => {
  const { output, text } = captured({ json: true });
  const value = { "a\u009b": "\u001b[2J\u202e\u007f\u{e0041}\n", b: "猫" };
  output.json(value);
  expect(text().stdout).toMatch(/^[^\p{Cc}\p{Cf}]+\n$/u);
  expect(JSON.parse(text().stdout)).toEqual(value);
});
