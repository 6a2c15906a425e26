/** The only place that writes to the terminal: results on stdout, everything about how it goes on stderr. */
import type { WriteStream } from "node:tty";
import pc from "picocolors";
import { printable } from "../graph/printable.ts";

/** Anything that text can be written to; a terminal says so. */
export type TextStream = Pick<WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };

export interface OutputOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Keep stdout for one JSON object. */
  readonly json: boolean;
  /** Seconds since some fixed moment. */
  readonly clock: () => number;
}

/** A line that says how far something is. */
export interface ProgressLine {
  update(done: number, total: number): void;
  /** Ends the line. */
  end(): void;
}

/** Seconds between two plain progress lines where there is no terminal. */
const PLAIN_INTERVAL = 5;
/** Seconds between two redraws of a progress bar. */
const REDRAW_INTERVAL = 0.1;
const BAR_WIDTH = 24;
/** Seconds beyond which the time that is left says nothing: it stalls. */
const LONGEST_REST = 99 * 3600;

/** Writes for people, or for programs with `json`. */
export class Output {
  readonly #options: OutputOptions;
  readonly color: ReturnType<typeof pc.createColors>;
  /** Whether a progress line is being drawn that other lines must not run into. */
  #drawing = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.color = pc.createColors(
      (options.json ? options.stderr : options.stdout).isTTY === true && pc.isColorSupported,
    );
  }

  /** A line of the result. With `json` it goes to stderr. */
  result(line = ""): void {
    this.#line(this.#options.json ? this.#options.stderr : this.#options.stdout, line);
  }

  /** A line about how it goes. */
  note(line: string): void {
    this.#line(this.#options.stderr, line);
  }

  warn(line: string): void {
    this.note(`${this.color.yellow("warning")}  ${line}`);
  }

  /** The JSON object that is the whole of stdout, with `json`; nothing otherwise. */
  json(value: unknown): void {
    if (this.#options.json) this.#options.stdout.write(`${escapedJson(value)}\n`);
  }

  /** A progress bar on a terminal; elsewhere a plain line every few seconds, and one at the end. */
  progress(label: string, unit: string): ProgressLine {
    const { stderr, clock } = this.#options;
    const terminal = stderr.isTTY === true;
    const start = clock();
    let shown = terminal ? Number.NEGATIVE_INFINITY : start;
    const draw = (done: number, total: number, now: number): void => {
      const rate = done / Math.max(now - start, 1e-3);
      const rest = (total - done) / rate; // Infinity until something is done
      const numbers = `${done}/${total}  ${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} ${unit}/s`;
      const left = rest <= LONGEST_REST ? `  ${formatSeconds(rest)} left` : "";
      const line = numbers + (done < total ? left : `  ${formatSeconds(now - start)}`);
      if (!terminal) {
        this.note(`${label}  ${line}`);
        return;
      }
      const filled = Math.round((BAR_WIDTH * done) / total);
      const bar = this.color.green("━".repeat(filled)) + this.color.dim("━".repeat(BAR_WIDTH - filled));
      stderr.write(`\r\u001b[2K${label}  ${bar}  ${line}`);
      this.#drawing = true;
    };
    return {
      update: (done, total) => {
        const now = clock();
        if (done < total && now - shown < (terminal ? REDRAW_INTERVAL : PLAIN_INTERVAL)) return;
        shown = now;
        draw(done, total, now);
      },
      end: () => this.#finishDrawing(),
    };
  }

  /** Replaces the line that is being drawn on a terminal; elsewhere does nothing. */
  redraw(line: string): void {
    if (this.#options.stderr.isTTY !== true) return;
    this.#options.stderr.write(`\r\u001b[2K${harmless(line)}`);
    this.#drawing = true;
  }

  get isTerminal(): boolean {
    return this.#options.stderr.isTTY === true;
  }

  #line(stream: TextStream, line: string): void {
    this.#finishDrawing();
    stream.write(`${harmless(line)}\n`);
  }

  #finishDrawing(): void {
    if (this.#drawing) this.#options.stderr.write("\n");
    this.#drawing = false;
  }
}

/** What a terminal may obey: line ends, tabs, and the weights and colors that the commands use. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what colors begin with.
const OURS = /(\n|\t|\u001b\[(?:1|2|22|31|32|33|39)m)/;

/** The text without what a name or a file's metadata could make a terminal do. */
function harmless(text: string): string {
  return text
    .split(OURS)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join("");
}

/** JSON in which what a terminal obeys is written as \\uXXXX: the same value to a program. */
function escapedJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** 0.4 s, 12 s, 3:05 min, 1:02:09 h. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)} h`;
}

/** 512 B, 8.9 MB: decimal units, as file managers show them. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** 97.4 %. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Columns of text: the first aligned left, the others right. Widths count code points. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? "")].length))) ?? [];
  const pad = (cell: string, column: number): string => {
    const space = " ".repeat(Math.max(0, widths[column]! - [...cell].length));
    return column === 0 ? cell + space : space + cell;
  };
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}
