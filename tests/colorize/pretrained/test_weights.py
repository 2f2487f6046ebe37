"""Weights of others: found, read, checked and named, or one line that says what to do."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import subprocess
import sys
import urllib.error
from types import SimpleNamespace

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor

from colorize.pretrained.weights import PretrainedWeightsError, Wanted
from tests.places import ROOT

_PART = Wanted(
    network="a net",
    option="x.weights",
    torchvision="VGG19_Weights.IMAGENET1K_V1",
    otherwise="leave x out",
    part="features.",
)
_WHOLE = Wanted(network="a net", option="x.weights", torchvision="RegNet.NONE")


def _own() -> dict[str, Tensor]:
    return {"0.weight": torch.zeros(2, 3, 1, 1), "0.bias": torch.zeros(2)}


def _given() -> dict[str, Tensor]:
    return {"0.weight": torch.arange(6.0).reshape(2, 3, 1, 1), "0.bias": torch.tensor([7.0, 8.0])}


def _answer_with(monkeypatch: pytest.MonkeyPatch, answer, url="https://example.org/net.pth"):
    """Let torchvision's entry of every name be one that answers so."""
    entry = SimpleNamespace(url=url, get_state_dict=answer)
    monkeypatch.setattr(torchvision.models, "get_weight", lambda name: entry)


def test_a_download_is_checked_never_executed_and_limited_in_time_only_meanwhile(monkeypatch):
    asked = []

    def answer(**options):
        asked.append((options, socket.getdefaulttimeout()))
        return {"features.0.bias": torch.ones(2)}

    _answer_with(monkeypatch, answer)
    found = _PART.find("torchvision")
    assert found.tensors["0.bias"].tolist() == [1, 1]
    assert found.origin() == "torchvision"
    assert not found.caffe
    assert asked == [({"check_hash": True, "weights_only": True}, 20.0)]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    "error", [OSError("no route"), urllib.error.URLError("no route"), EOFError("no route\nhere")]
)
def test_an_impossible_download_is_one_line(error, monkeypatch):
    def answer(**_):
        raise error

    _answer_with(monkeypatch, answer)
    message = (
        r"^x\.weights=torchvision: cannot download https://example\.org/net\.pth \(.*no route.*\); "
        r"set x\.weights to a file of a net weights, or leave x out$"
    )
    with pytest.raises(PretrainedWeightsError, match=message):
        _PART.find("torchvision")
    assert socket.getdefaulttimeout() is None


def test_a_file_of_the_home_directory_fills_the_network(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    whole = {f"features.{name}": tensor for name, tensor in _given().items()}
    torch.save(whole | {"classifier.bias": torch.ones(1), "epoch": 3}, tmp_path / "net.pth")
    own = _own()
    _PART.find("~/net.pth").fill(own)
    for name, tensor in _given().items():
        assert torch.equal(own[name], tensor)


def test_weights_trained_on_bgr_are_turned_to_rgb(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(_given(), path, metadata={"input": "BGR 0-255 minus (103.939,116.779,123.68)"})
    found, own = _PART.find(path), _own()
    assert found.caffe
    assert found.origin() == "Caffe weights"
    found.fill(own, bgr=True)
    assert own["0.weight"].flatten().tolist() == [2, 1, 0, 5, 4, 3]
    assert own["0.bias"].tolist() == [7, 8]


def test_an_unknown_input_is_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(_given(), path, metadata={"input": "HSV"})
    with pytest.raises(PretrainedWeightsError, match=r"net\.safetensors: .*unknown input 'HSV'"):
        assert not _PART.find(path).caffe


def test_only_the_very_bytes_of_torchvision_are_called_torchvisions(monkeypatch, tmp_path):
    path = tmp_path / "net.pth"
    torch.save(_given(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _answer_with(monkeypatch, None, url=f"https://example.org/vgg19-{digest[:8]}.pth")
    assert _PART.find(path).origin() == "torchvision"
    _answer_with(monkeypatch, None, url="https://example.org/vgg19-dcbb9e9d.pth")
    assert _PART.find(path).origin() == "net.pth"


@pytest.mark.parametrize(
    ("wanted", "changes", "message"),
    [
        (_PART, {"0.bias": None}, r"1 of 2 tensors .*first: 0\.bias is missing, expected \(2,\)\)"),
        (_PART, {"0.weight": torch.zeros(2, 3)}, r"0\.weight is \(2, 3\), expected \(2, 3, 1, 1\)"),
        (_PART, {"0.weight": None, "0.bias": None}, r"2 of 2 .*first: 0\.weight is missing"),
        (_WHOLE, {"1.bias": torch.zeros(4)}, r"1 of 3 .*1\.bias is \(4,\), expected none\); set x"),
    ],
)
def test_the_first_wrong_tensor_is_named_and_nothing_is_filled(wanted, changes, message, tmp_path):
    path = tmp_path / "net.safetensors"
    content = _given() | changes
    save_file({name: each for name, each in content.items() if each is not None}, path)
    own = _own()
    with pytest.raises(
        PretrainedWeightsError, match=r"^x\.weights=.*net\.safetensors: not the weights of a net"
    ) as error:
        wanted.find(path).fill(own)
    assert error.match(message)
    assert not any(tensor.any() for tensor in own.values())


def test_code_in_a_file_is_not_run(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / "net.pth"
    torch.save({"0.weight": Harm()}, path)
    path_of_pickle = tmp_path / "net.pkl"
    path_of_pickle.write_bytes(pickle.dumps(Harm(), protocol=2))
    for each in (path, path_of_pickle):
        with pytest.raises(PretrainedWeightsError, match="not a readable weights file") as error:
            _PART.find(each)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "executed").exists()


def test_what_others_trained_costs_no_start_before_it_is_used():
    code = (
        "import sys, colorize.pretrained.squeezenet, colorize.pretrained.vgg19\n"
        "import colorize.motion.estimators\n"
        "print(*(name.partition('.')[0] for name in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "torch" in loaded
    assert not loaded & {"torchvision", "scipy", "skimage", "matplotlib", "hydra", "lightning"}
