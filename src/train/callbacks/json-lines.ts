/** The reports of a run for programs: one line of JSON per epoch. */
import type { Callback } from "../callback.ts";
import { type RecordFileOptions, recordFile } from "./record-file.ts";

const NAME = "json-lines";

/**
 * Writes the report of each epoch to a file as one line of JSON, with null for what is no finite number. Each line is on
 * the disk before training goes on; a continued run has no line twice.
 * The callback throws RootstockError CANNOT_WRITE, or BAD_CONFIG if there is a file of that name already.
 * @throws RangeError if the file has no name; RootstockError BAD_CONFIG without options, or for one that there is not.
 */
export function jsonLines(options: RecordFileOptions): Callback {
  const file = recordFile(NAME, options, { header: 0 });
  return {
    name: NAME,
    onPhaseStart: () => file.open(),
    onEpochEnd: async (report) => {
      await file.open();
      await file.append(JSON.stringify(report));
    },
    state: () => file.state(),
    restore: (state) => file.restore(state),
  };
}
