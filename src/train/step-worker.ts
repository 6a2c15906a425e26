/** What runs in a training thread: one `TrainStep`, driven by tasks that come one after the other. */
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
  if (task.kind === "create") {
    step = await create(task.options);
    return undefined;
  }
  if (!step) throw new Error("the step was not created");
  switch (task.kind) {
    case "run":
      return await step.run(task.samples, task.labels, task.learningRate);
    case "logits":
      return await step.logits(task.samples);
    case "parameters":
      return await step.parameters();
    case "restore":
      return await step.restore(task.parameters).then(() => undefined);
    case "release":
      await step[Symbol.asyncDispose]();
      step = undefined;
      return undefined;
  }
}

function create({ loss, optimizer, weightDecay, ...options }: ThreadStepOptions): Promise<TrainStep> {
  return TrainStep.create({
    ...options,
    loss: LOSSES[loss](),
    optimizer: OPTIMIZERS[optimizer].create({ weightDecay }),
  });
}
