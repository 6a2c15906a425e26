/** The training loop: epochs of shuffled batches, a look at the validation set after each, the best epoch restored. */
import { type ErrorCode, RootstockError } from "../errors.ts";
import { targetsShown, totalWeight } from "../losses/targets.ts";
import { type Rng, shuffle } from "../random.ts";
import type { Callback, RunControl } from "./callback.ts";
import { monitored } from "./callbacks/monitored.ts";
import type { FitOptions, FitResult, FitState } from "./fit-options.ts";
import { isBetter } from "./kept-epoch.ts";
import { type Asked, controlOf, endsRun, type Hook, restoreStates, statesOf, tellAll, tellEnd } from "./listeners.ts";
import { greedySoup } from "./soup.ts";

type Progress = { -readonly [K in keyof Omit<FitState, "trainer" | "callbacks" | "rate" | "stopped">]: FitState[K] };

/** A state to save but for the trainer's. */
type Moment = Omit<FitState, "trainer">;

/** An epoch that was trained: what was seen, or what left the range of numbers. */
type Passed =
  | { readonly broken: RootstockError; readonly where: string }
  | {
      readonly broken?: undefined;
      readonly looked: { readonly validation: Readonly<Record<string, number>>; readonly best: boolean };
      /** The state before callbacks are told of it, where checkpoints are kept. */
      readonly measured: Moment | undefined;
    };

/**
 * Trains until the last epoch or until a callback stops the run, then restores the best parameters. Where numbers leave
 * their range after something was measured, the phase ends there, with the best so far. A fit that goes on from a state
 * gives what it would have given without the break, bit for bit.
 * @throws RootstockError DIVERGED if the loss stops being a number before anything was measured; BAD_CONFIG if there is no
 * such measure as the monitored one; ABORTED through `signal`; what a callback throws, with its name.
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { phase = "head", step, train, validate, epochs, batchSize, monitor, rng, callbacks = [], from } = options;
  const { keepStart = false, soup = 1, schedule, checkpoints } = options;
  const at: Progress = from ? { ...from } : { epoch: 1, done: 0, lossSum: 0, weightSum: 0, history: [], kept: [] };
  const { rate = 1, stopped } = from ?? {};
  const asked: Asked = { rate, stopped, endsRun: endsRun(from?.callbacks), save: false };
  const control = controlOf(asked, () => step.parameters());
  const moment = (): Moment => ({
    ...at,
    rate: asked.rate,
    stopped: asked.stopped,
    callbacks: statesOf(callbacks, asked),
  });
  const save = async (of: Moment = moment()): Promise<void> => {
    await checkpoints?.save({ ...of, trainer: await step.state() });
  };
  /** Tells callbacks; the state is kept before the error of one ends the run. */
  const tell: EpochRun["tell"] = (hook, call, of = moment) =>
    tellAll(callbacks, hook, call).catch(async (error: unknown) => {
      await Promise.resolve()
        .then(() => save(of()))
        .catch(() => {}); // what went wrong first counts
      throw error;
    });

  /** Measures the current parameters and keeps them if they are among the best so far. */
  const look = async (epoch: number) => {
    const validation = await validate();
    const value = monitored("training", monitor, validation);
    const better = at.kept.findIndex((kept) => isBetter(value, kept.value, monitor));
    const place = better === -1 ? at.kept.length : better;
    if (place < soup) at.kept = at.kept.toSpliced(place, 0, { epoch, value, parameters: await step.parameters() });
    at.kept = at.kept.slice(0, soup);
    return { validation, best: place === 0 };
  };
  /** Trains an epoch and measures it; the error of numbers that left their range is returned. */
  const pass = async (epoch: number): Promise<Passed> => {
    const broken = await runEpoch(options, { at, asked, control, tell, save }, rng.fork(`epoch ${epoch}`));
    if (broken) return { broken, where: "" };
    const measured = checkpoints && moment(); // the end of an epoch is told again where a callback fails
    return await look(epoch).then(
      (looked) => ({ looked, measured }),
      (error: unknown) => {
        if (isOf("DIVERGED", error)) return { broken: error, where: `, after step ${step.steps}` };
        throw error;
      },
    );
  };

  let diverged = false;
  try {
    if (from) await step.load(from.trainer);
    restoreStates(callbacks, from?.callbacks ?? options.remembered);
    const stepsPerEpoch = Math.ceil(train.rows.count / batchSize);
    const start = { phase, epochs, stepsPerEpoch, epochsDone: at.history.length };
    await tellAll(callbacks, "onPhaseStart", (callback) => callback.onPhaseStart?.(start, control));
    if (!from && keepStart) await look(0);
    const isOver = (): boolean => asked.stopped !== undefined && at.done === 0 && at.kept.length > 0; // an epoch that began ends
    while (at.epoch <= epochs && !isOver()) {
      const { epoch } = at;
      const passed = await pass(epoch).catch(async (error: unknown) => {
        if (!isOf("ABORTED", error)) throw error;
        await save();
        throw interrupted(step.steps, error); // it may have been an image that was no longer loaded
      });
      if (passed.broken) {
        if (Number.isNaN(at.kept[0]?.value ?? Number.NaN)) throw passed.broken;
        asked.stopped = `${passed.broken.message.replace(ADVICE, "")}${passed.where}`;
        Object.assign(at, { done: 0, lossSum: 0, weightSum: 0 });
        diverged = true;
        break;
      }
      const { looked, measured } = passed;
      const trainLoss = at.lossSum / at.weightSum;
      const learningRate = schedule(step.steps) * asked.rate;
      const report = { phase, epoch, epochs, steps: step.steps, learningRate, trainLoss, ...looked };
      Object.assign(at, { epoch: epoch + 1, done: 0, lossSum: 0, weightSum: 0, history: [...at.history, report] });
      await tell("onEpochEnd", (callback) => callback.onEpochEnd?.(report, control), measured && (() => measured));
      if (asked.save || checkpoints?.due("epoch")) await save();
      asked.save = false;
    }
  } catch (error) {
    await tellEnd(callbacks).catch(() => {}); // what went wrong first counts
    throw error;
  }
  await tellEnd(callbacks).catch(async (error: unknown) => {
    await save().catch(() => {});
    throw error;
  });
  const { history, kept } = at;
  const { parameters, averaged } = await greedySoup({ step, validate, monitor, kept });
  const told = { stopped: asked.stopped, diverged: diverged || undefined, callbacks: statesOf(callbacks, asked) };
  return { history, bestEpoch: kept[0]!.epoch, parameters, averaged, ...told }; // there is at least one epoch
}

interface EpochRun {
  readonly at: Progress;
  readonly asked: Asked;
  readonly control: RunControl;
  readonly tell: (
    hook: Hook,
    call: (callback: Callback) => void | Promise<void>,
    of?: (() => Moment) | undefined,
  ) => Promise<void>;
  readonly save: () => Promise<void>;
}

/**
 * Visits every sample once that the epoch has not visited yet, in a random order.
 * @returns the error of a loss that is no number, which ends the epoch; undefined without one.
 */
async function runEpoch(
  options: FitOptions,
  { at, asked, control, tell, save }: EpochRun,
  rng: Rng,
): Promise<RootstockError | undefined> {
  const { phase = "head", step, train, batchSize, schedule, mix, signal, onStep, checkpoints } = options;
  const { rows, targets } = train;
  const { epoch } = at;
  const all = Int32Array.from({ length: rows.count }, (_, i) => i);
  const order = shuffle(all, rng);
  for await (const samples of rows.batches(order.subarray(at.done), batchSize, epoch)) {
    if (signal?.aborted) throw interrupted(step.steps);
    const chosen = order.subarray(at.done, at.done + samples.length / rows.width);
    const plain = { samples, targets: targetsShown(targets, chosen, epoch) };
    const batch = mix ? mix(plain.samples, plain.targets, rng.fork(`mix ${at.done}`)) : plain;
    const weight = totalWeight(batch.targets);
    const learningRate = schedule(step.steps + 1) * asked.rate;
    const loss = await step.run(batch.samples, batch.targets, learningRate);
    if (!Number.isFinite(loss)) return diverged(`the training loss became ${loss} at step ${step.steps}`, learningRate);
    at.lossSum += loss * weight;
    at.weightSum += weight;
    at.done += chosen.length;
    onStep?.(at.done, rows.count);
    const report = { phase, epoch, step: step.steps, loss, learningRate };
    await tell("onStep", (callback) => callback.onStep?.(report, control));
    if (checkpoints?.due("step")) await save();
  }
  return undefined;
}

function isOf(code: ErrorCode, error: unknown): error is RootstockError {
  return error instanceof RootstockError && error.code === code;
}

function interrupted(steps: number, cause?: unknown): RootstockError {
  return new RootstockError("ABORTED", `training was interrupted after ${steps} steps.`, { cause });
}

/** What the error of numbers out of range says after what happened. */
const ADVICE = ". Use a smaller learning rate.";

/** The error of a run whose numbers grew out of range. */
export function diverged(what: string, learningRate: number): RootstockError {
  return new RootstockError("DIVERGED", `${what} (learning rate ${learningRate})${ADVICE}`);
}
