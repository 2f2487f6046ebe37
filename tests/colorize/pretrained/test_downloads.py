from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest
import torch

from colorize.pretrained.downloads import download


class Missing(ValueError):
    pass


def source(answer):
    return SimpleNamespace(url="https://example.org/net.pth", get_state_dict=answer)


def fetch(answer):
    return download(source(answer), option="x.weights", remedy="name a file", error=Missing)


def test_the_state_is_returned_and_the_time_limit_holds_only_meanwhile():
    limits = []

    def answer(**_):
        limits.append(socket.getdefaulttimeout())
        return {"0.weight": torch.ones(2)}

    assert float(fetch(answer)["0.weight"].sum()) == 2.0
    assert limits == [20.0]
    assert socket.getdefaulttimeout() is None


def test_a_failure_is_one_line_with_the_option_and_the_remedy():
    def answer(**_):
        raise OSError("no route")

    with pytest.raises(
        Missing,
        match=r"^x\.weights=torchvision: cannot download .*no route.*name a file",
    ):
        fetch(answer)
    assert socket.getdefaulttimeout() is None
