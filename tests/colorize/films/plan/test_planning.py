"""The output that colours a shot by itself is the one that training ranks first."""

from __future__ import annotations

import torch

from colorize.films.plan.planning import AUTO_OUTPUT
from colorize.losses.rank_diversity import rank_diversity


def test_the_output_taken_by_itself_is_that_whose_errors_cost_most_in_training() -> None:
    distances = torch.ones(4) + torch.eye(4)  # row k: output k is worse
    costs = rank_diversity(distances, rank_scale=0.01, rank_base=2.0)
    assert int(costs.argmax()) == AUTO_OUTPUT
