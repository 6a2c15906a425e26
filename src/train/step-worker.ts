/** What runs in a training thread: one `TrainStep`, driven by tasks that come one after the other. */
import { invariant } from "../errors.ts";
import { LOSSES } from "../losses/table.ts";
import { OPTIMIZERS } from "../optim/table.ts";
import { answer, type StepAnswer, type StepTask, type StepValue, type ThreadStepOptions } from "./step-task.ts";
import { TrainStep } from "./train-step.ts";

let step: TrainStep | undefined;

/** Does one task. */
export function stepTask(task: StepTask): Promise<StepAnswer> {
  return answer(() => perform(task));
}

async function perform(task: StepTask): Promise<StepValue> {
  switch (task.kind) {
    case "create":
      step = await create(task.options);
      return step.memory;
    case "run":
      return await current().run(task.samples, task.targets, task.learningRate);
    case "logits":
      return await current().logits(task.samples);
    case "parameters":
      return await current().parameters();
    case "restore":
      await current().restore(task.parameters);
      return undefined;
    case "state":
      return await current().state();
    case "load":
      await current().load(task.state);
      return undefined;
    case "release":
      await current()[Symbol.asyncDispose]();
      step = undefined;
      return undefined;
  }
}

function current(): TrainStep {
  invariant(step, () => "a training thread was asked for a step before it made one");
  return step;
}

function create({ loss, lossOptions, optimizer, optimizerOptions, ...options }: ThreadStepOptions): Promise<TrainStep> {
  return TrainStep.create({
    ...options,
    loss: LOSSES[loss](lossOptions),
    optimizer: OPTIMIZERS[optimizer].create(optimizerOptions),
  });
}
