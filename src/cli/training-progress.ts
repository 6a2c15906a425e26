/** What a person sees of training while it is under way. */
import { printable } from "../graph/printable.ts";
import type { EpochReport } from "../train/callback.ts";
import type { Progress } from "../train/options.ts";
import { formatValue } from "./format-value.ts";
import { formatPercent, type Output } from "./output.ts";

/** The measure of an epoch that says most to a person, whatever the task. */
function mainMeasure(validation: EpochReport["validation"]): string {
  const { accuracy, meanAveragePrecision, mae, r2, "probe accuracy": probe } = validation;
  if (probe !== undefined) return `probe ${formatPercent(probe)}`;
  if (accuracy !== undefined) return `accuracy ${formatPercent(accuracy)}`;
  if (meanAveragePrecision !== undefined) return `mean average precision ${meanAveragePrecision.toFixed(3)}`;
  return mae === undefined ? "" : `mean absolute error ${formatValue(mae)}  R² ${r2!.toFixed(3)}`; // they come together
}

/** Shows what happens while a run is under way. */
export class TrainingProgress {
  readonly #output: Output;
  readonly #features;
  readonly #checking;

  constructor(output: Output, headline: string) {
    this.#output = output;
    this.#checking = output.progress("checking", "img");
    this.#features = output.progress("features", "img");
    output.note(headline);
  }

  show(event: Progress): void {
    if (event.kind === "plan") this.#output.note(printable(event.text));
    else if (event.kind === "warning") this.#output.warn(printable(event.text));
    else if (event.kind === "check") {
      this.#checking.update(event.done, event.total);
      if (event.done === event.total) this.#checking.end();
    } else if (event.kind === "features") {
      this.#features.update(event.done, event.total);
      if (event.done === event.total) this.#features.end();
    } else if (event.kind === "step") {
      if (this.#output.isTerminal) this.#output.redraw(`epoch     image ${event.done} of ${event.total}`);
    } else {
      const { phase, epoch, epochs, trainLoss, validation, best } = event.report;
      const line = `${phase.padEnd(9)} ${epoch}/${epochs}  loss ${trainLoss.toFixed(3)}  validation loss ${validation["loss"]!.toFixed(3)}  ${mainMeasure(validation)}${best ? "  best" : ""}`;
      if (this.#output.isTerminal) this.#output.redraw(line);
      else if (epoch === 1 || epoch === epochs || epoch % Math.ceil(epochs / 10) === 0) this.#output.note(line);
    }
  }

  end(): void {
    this.#features.end();
  }
}
