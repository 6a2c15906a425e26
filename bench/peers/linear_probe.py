"""The converged linear probe as PyTorch users solve it. bench/peers/strategies.py uses it."""
import torch
from torch.nn import functional as F


class Lbfgs:
    """The linear probe: mean cross-entropy plus penalty / 2 |W|^2, each fit from where the last one ended."""

    def __init__(self, x, labels, classes):
        self.x, self.labels = x.double(), labels
        self.weight = torch.zeros(classes, x.shape[1], dtype=torch.float64, requires_grad=True)
        self.bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)

    def fit(self, penalty, tolerance):
        optimizer = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=5000, max_eval=10000, tolerance_grad=tolerance,
            tolerance_change=1e-12, history_size=10, line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(F.linear(self.x, self.weight, self.bias), self.labels)
            loss = loss + penalty / 2 * self.weight.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return self.weight.detach().float(), self.bias.detach().float()


class Scikit:
    """The same with scikit-learn. Of two classes it fits one row of weights, which stands for two of half its size."""

    def __init__(self, x, labels, classes):
        from sklearn.linear_model import LogisticRegression

        self.x, self.labels, self.classes = x.double().numpy(), labels.numpy(), classes
        self.model = LogisticRegression(max_iter=5000, warm_start=True)

    def fit(self, penalty, tolerance):
        penalty = penalty / 2 if self.classes == 2 else penalty
        self.model.set_params(C=1 / (penalty * len(self.labels)), tol=tolerance).fit(self.x, self.labels)
        weight, bias = (torch.from_numpy(values).float() for values in (self.model.coef_, self.model.intercept_))
        if self.classes == 2:
            return torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
        return weight, bias


def solve_probe(solver, held, labels):
    """Penalties as Rootstock tries them: from 100 down by half a decade until two are no better; then closer.

    Gradients are no larger than a weak penalty's own part in them: data that can be separated look solved before they are.
    """
    tried = {}

    def attempt(exponent):
        weight, bias = solver.fit(10**exponent, 1e-4 * min(1, 10 ** (exponent + 1)))
        tried[exponent] = F.cross_entropy(F.linear(held, weight, bias), labels).item()
        return min(tried, key=tried.get)

    exponent = 2.0
    while exponent >= -5 and attempt(exponent) <= exponent + 0.5:
        exponent -= 0.5
    best = min(tried, key=tried.get)
    for side in (0.25, -0.25):
        attempt(best + side)
    best = min(tried, key=tried.get)
    return *solver.fit(10**best, 1e-6 * min(1, 10**best)), 10**best
