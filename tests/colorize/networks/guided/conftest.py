"""A small network on features that stand for the downloaded ones."""

from __future__ import annotations

import pytest
import torch

from colorize.networks.guided.network import GuidedNetwork
from colorize.pretrained.squeezenet import SqueezeNet
from tests.colorize.networks.guided.given import tiny


@pytest.fixture(scope="module")
def features() -> SqueezeNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SqueezeNet(weights="random")


@pytest.fixture
def model(features: SqueezeNet) -> GuidedNetwork:
    return tiny(features)
