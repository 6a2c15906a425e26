/** What an evaluation of any task gives. */
import type { ClassificationEvaluation } from "./classification.ts";
import type { MultiLabelEvaluation } from "./multi-label.ts";
import type { RegressionEvaluation } from "./regression.ts";

/** Everything measured in one pass over a dataset, told apart by `task`; JSON-safe. */
export type Evaluation = ClassificationEvaluation | MultiLabelEvaluation | RegressionEvaluation;

/** The evaluation of one task. */
export type EvaluationOf<T extends Evaluation["task"]> = Extract<Evaluation, { readonly task: T }>;
