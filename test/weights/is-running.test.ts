import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isRunning } from "../../src/weights/is-running.ts";

test("a process is running until it has ended", async () => {
  expect(isRunning(process.pid)).toBe(true);
  expect(isRunning(process.ppid)).toBe(true);
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" });
  expect(isRunning(child.pid!)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isRunning(child.pid!)).toBe(false);
});

test("a number that no process can have is none's", () => {
  for (const pid of [2 ** 31, 99_999_999_999_999, 1.5]) expect(isRunning(pid)).toBe(false);
});
