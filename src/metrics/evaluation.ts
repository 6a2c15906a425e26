/** What an evaluation of any task gives. */
import { type ClassificationEvaluation, type ClassificationResults, evaluateClassification } from "./classification.ts";
import { evaluateMultiLabel, type MultiLabelEvaluation, type MultiLabelResults } from "./multi-label.ts";
import { evaluateRegression, type RegressionEvaluation, type RegressionResults } from "./regression.ts";

/** Everything measured in one pass over a dataset, told apart by `task`; JSON-safe. */
export type Evaluation = ClassificationEvaluation | MultiLabelEvaluation | RegressionEvaluation;

/** The evaluation of one task. */
export type EvaluationOf<T extends Evaluation["task"]> = Extract<Evaluation, { readonly task: T }>;

/** Outputs of a model beside what is true: what an evaluation measures. */
export type EvaluationResults =
  | ({ readonly task: "single-label" } & ClassificationResults)
  | ({ readonly task: "multi-label" } & MultiLabelResults)
  | ({ readonly task: "regression" } & RegressionResults);

/** Measures results of any task. @throws As the evaluation of the task. */
export function evaluateResults(results: EvaluationResults): Evaluation {
  switch (results.task) {
    case "single-label":
      return evaluateClassification(results);
    case "multi-label":
      return evaluateMultiLabel(results);
    case "regression":
      return evaluateRegression(results);
  }
}
