"""Prediction from a checkpoint alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from classify.predict import Classifier, picture_paths
from tests.classify.samples import class_folders, png, tinted
from tests.classify.tiny import red_or_blue, write_checkpoint


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> Classifier:
    path = write_checkpoint(tmp_path_factory.mktemp("model") / "model.safetensors")
    return Classifier.load(path, device="cpu")


def test_probabilities_are_the_softmax_of_the_network(classifier: Classifier) -> None:
    pictures = np.stack([tinted(label, label).transpose(2, 0, 1) for label in (0, 1, 0)])
    logits = red_or_blue()(torch.from_numpy(pictures).float() / 255).detach().numpy()
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(classifier.probabilities(pictures), expected, rtol=1e-5)
    assert expected.argmax(1).tolist() == [0, 1, 0]


def test_mirroring_averages_both_ways_round(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "model.safetensors")
    plain, both = (Classifier.load(path, device="cpu", mirror=way) for way in (False, True))
    # A network that looks at the left half alone, so that mirroring matters.
    for classifier in (plain, both):
        classifier.network.register_forward_pre_hook(
            lambda _, seen: (seen[0] * (torch.arange(seen[0].shape[-1]) < 4),)
        )
    picture = np.concatenate([tinted(0, 0)[:, :4], tinted(1, 0)[:, 4:]], axis=1)
    planes = picture.transpose(2, 0, 1)[None]
    mirrored = np.ascontiguousarray(planes[..., ::-1])
    expected = (plain.probabilities(planes) + plain.probabilities(mirrored)) / 2
    np.testing.assert_allclose(both.probabilities(planes), expected, rtol=1e-5)
    assert not np.allclose(both.probabilities(planes), plain.probabilities(planes))


def test_files_keep_their_order_whatever_can_be_read(tmp_path: Path, classifier) -> None:
    names = ["a.png", "b.png", "c.png", "d.png", "e.png"]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(png(tinted(number % 2, number, (20, 31))))
    (tmp_path / "b.png").write_bytes(b"broken")
    (tmp_path / "d.png").unlink()
    found = list(classifier.files([tmp_path / name for name in names], batch_size=2))
    assert [prediction.path.name for prediction in found] == names
    assert "b.png is not a picture" in found[1].problem
    assert "d.png: No such file" in found[3].problem
    likeliest = [p.probabilities.argmax() for p in found if p.probabilities is not None]
    assert likeliest == [0, 0, 0]
    alone = next(iter(classifier.files([tmp_path / "e.png"])))
    np.testing.assert_allclose(alone.probabilities, found[4].probabilities, rtol=1e-5)


def test_paths_of_folders_are_their_pictures(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", count=2)
    (root / "notes.txt").write_text("x")
    (root / "odd.name").write_bytes(b"x")
    found = picture_paths([root, root / "odd.name"])
    assert [path.name for path in found] == ["000.png", "001.png", "000.png", "001.png", "odd.name"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no pictures; known are"):
        picture_paths([tmp_path / "empty"])
    with pytest.raises(ValueError, match="missing does not exist"):
        picture_paths([tmp_path / "missing"])
