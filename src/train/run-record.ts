/** What a run writes down about itself, so that somebody else can repeat it. */
import { cpus, totalmem } from "node:os";
import { decoderVersion } from "../data/decoder-version.ts";
import { runtimeVersion } from "../runtime/session.ts";
import { VERSION } from "../version.ts";

/** The machine and the versions of everything that takes part in the numbers. */
export interface Environment {
  readonly rootstock: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly decoder: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Start of the run, ISO 8601 in UTC. */
  readonly startedAt: string;
}

/** Describes the machine at this moment. */
export function environment(): Environment {
  const cores = cpus();
  return {
    rootstock: VERSION,
    node: process.version,
    onnxruntime: runtimeVersion(),
    decoder: decoderVersion(),
    platform: `${process.platform}-${process.arch}`,
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memoryBytes: totalmem(),
    startedAt: new Date(now()).toISOString(),
  };
}

/** The time in milliseconds since 1970. The one place that asks. */
export function now(): number {
  return Date.now();
}

/** Seconds since some fixed moment, for durations. */
export function clock(): number {
  return performance.now() / 1000;
}

/** A folder name that sorts by time: 2026-11-21-093005-flowers. */
export function defaultRunName(data: string): string {
  const stamp = new Date(now()).toISOString().slice(0, 19).replace("T", "-").replaceAll(":", "");
  const name = data
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-.]+|-+$/g, "")
    .slice(0, 40);
  return name ? `${stamp}-${name}` : stamp;
}

/** Memory of the machine, in bytes. What is free of it changes, and no decision about numbers may depend on that. */
export function totalMemory(): number {
  return totalmem();
}
