"""The device that a user names, or the best one there is."""

from __future__ import annotations

import pytest
import torch

from colorize.base.devices import choose_device
from colorize.base.errors import UserError


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(UserError, match="--device is 'gpu': expected auto, cpu, cuda or cuda:N"):
        choose_device("gpu")
    assert choose_device("cpu") == torch.device("cpu")


def test_auto_is_cuda_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(UserError, match="'cuda:0', but PyTorch sees no CUDA device"):
        choose_device("cuda:0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    assert choose_device("cuda:1") == torch.device("cuda", 1)
