import pytest
import torch

from colorize.losses import Loss
from colorize.training.objective import NonFiniteLossError, Objective

TRUTH = torch.zeros(1, 1, 3, 2, 2)
OUTPUTS = torch.ones(1, 1, 2, 3, 2, 2)


class Constant(Loss):
    """A loss whose value is a multiple of the outputs' mean, so that its gradient is known."""

    def __init__(self, value, *, weight=1.0, needs=frozenset()):
        super().__init__(weight=weight)
        self.value, self.needs = value, needs

    def forward(self, outputs, truth, targets):
        return self.value * outputs.mean()


def test_total_is_the_weighted_sum_and_terms_stay_unweighted():
    objective = Objective({"first": Constant(2.0, weight=3.0), "second": Constant(5.0, weight=0.5)})
    terms = objective(OUTPUTS, TRUTH, {})
    assert float(terms.total) == pytest.approx(2 * 3 + 5 * 0.5)
    by_name = {name: float(value) for name, value in terms.by_name.items()}
    assert by_name == {"first": 2, "second": 5}


def test_weight_scales_the_gradient_and_zero_removes_it():
    gradients = []
    for weight in (0.0, 1.0, 4.0):
        outputs = OUTPUTS.clone().requires_grad_()
        Objective({"only": Constant(1.0, weight=weight)})(outputs, TRUTH, {}).total.backward()
        gradients.append(float(outputs.grad.sum()))
    assert gradients == pytest.approx([0.0, 1.0, 4.0])


def test_needs_is_the_union_of_what_the_losses_need():
    flow, both = frozenset({"flow"}), frozenset({"flow", "segments"})
    objective = Objective({"a": Constant(1, needs=flow), "b": Constant(1, needs=both)})
    assert objective.needs == {"flow", "segments"}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_names_its_term(bad):
    terms = Objective({"good": Constant(1.0), "broken": Constant(bad)})(OUTPUTS, TRUTH, {})
    with pytest.raises(NonFiniteLossError, match=r"step 7: broken = (nan|inf); no step was taken"):
        terms.raise_if_not_finite(step=7)


def test_finite_terms_pass():
    Objective({"good": Constant(1.0)})(OUTPUTS, TRUTH, {}).raise_if_not_finite(step=0)


def test_an_empty_objective_says_what_to_pass():
    with pytest.raises(ValueError, match=r"loss=\[rank_diversity\]"):
        Objective({})
