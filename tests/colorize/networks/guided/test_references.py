"""References: how they are given, laid out over frames, picked, joined, collated and moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor

from colorize.networks.guided.references import References
from tests.colorize.networks.guided.given import (
    PLANES,
    assert_same,
    noise,
    of_frame,
    planes_of,
    references,
)

SIZE = (2, 3)


def flat(*values: float, channels: int = 1) -> Tensor:
    """Pictures of one value each."""
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, channels, *SIZE)


def of(*values: float, **more: object) -> References:
    """References whose luma, and ten times whose Cb and Cr, are these values."""
    return References.of(flat(*values), flat(*(v / 10 for v in values), channels=2), **more)


def lumas(given: References) -> list[list[float]]:
    return [[round(float(v), 3) for v in row] for row in given.luma[:, :, 0, 0, 0]]


def test_pictures_are_the_references_of_one_frame() -> None:
    mask = flat(1.0, 0.0)
    given = of(0.2, 0.5, mask=mask, frame=[7, None])
    assert given.counts == (2,)
    assert given.total == 2
    assert given.size == SIZE
    assert given.frame.tolist() == [[7, -1]]
    assert torch.equal(given.luma[0], flat(0.2, 0.5))
    assert torch.equal(given.chroma[0], flat(0.02, 0.05, channels=2))
    assert torch.equal(given.shown[0], mask)
    for name in ("keys", "flow", "propagated"):
        assert getattr(given, name) is None
    plain = of(0.2, 0.5)
    assert plain.mask is None
    assert plain.shown.eq(1).all()
    assert plain.shown.shape == (1, 2, 1, *SIZE)
    assert plain.frame.tolist() == [[-1, -1]]
    none = References.of(torch.zeros(0, 1, *SIZE), torch.zeros(0, 2, *SIZE))
    assert none.counts == (0,)
    assert none.total == 0
    assert none.frame.shape == (1, 0)


def test_keys_are_those_of_each_reference() -> None:
    keys = noise(2, 5, 1, 1)
    assert torch.equal(of(0.2, 0.5).with_keys(keys).keys[0], keys)


def test_rows_owners_and_served_by_hand() -> None:
    given = references(2, 0, 3, 1, size=SIZE)  # 4 frames with room for 3 each
    assert given.total == 6
    assert given.rows().tolist() == [0, 1, 6, 7, 8, 9]
    assert given.owners().tolist() == [0, 0, 2, 2, 2, 3]
    assert given.served().tolist() == [0, 2, 3]
    none = References.of(torch.zeros(0, 1, *SIZE), torch.zeros(0, 2, *SIZE)).expand(2)
    for index in (none.rows(), none.owners(), none.served()):
        assert index.dtype == torch.int64
        assert index.shape == (0,)


def test_every_frame_of_a_batch_has_the_same_and_nothing_is_copied() -> None:
    given = replace(of(0.2, 0.5, frame=[7, None]), flow=noise(1, 2, 2, *SIZE))
    wide = given.expand(3)
    assert wide.counts == (2, 2, 2)
    assert wide.frame.tolist() == [[7, -1]] * 3
    for name, planes in planes_of(given).items():
        repeated = getattr(wide, name)
        assert torch.equal(repeated, planes.repeat(3, 1, 1, 1, 1))
        assert repeated.data_ptr() == planes.data_ptr()


def test_some_are_picked_in_their_order() -> None:
    given = references(3, size=SIZE, propagated=True, mask=True).with_keys(noise(3, 4, 1, 1))
    picked = given.picked([2, 0])
    assert picked.counts == (2,)
    assert picked.frame.tolist() == [[2, 0]]
    for name in PLANES:
        assert torch.equal(getattr(picked, name)[0], getattr(given, name)[0, [2, 0]]), name
    assert given.picked([]).total == 0


def test_parts_are_joined_one_after_another() -> None:
    joined = References.joined([of(0.2, frame=[4]), of(0.5, 0.7), of(0.9)])
    assert joined.counts == (4,)
    assert lumas(joined) == [[0.2, 0.5, 0.7, 0.9]]
    assert joined.frame.tolist() == [[4, -1, -1, -1]]
    assert joined.mask is None
    assert joined.keys is None
    masked = References.joined([of(0.2), of(0.5, mask=flat(0.0))])
    assert masked.shown[0, :, 0, 0, 0].tolist() == [1, 0]
    keys = [noise(1, 4, 1, 1, seed=seed) for seed in (0, 1)]
    known = [each.with_keys(key) for each, key in zip((of(0.2), of(0.5)), keys, strict=True)]
    assert torch.equal(References.joined(known).keys[0], torch.cat(keys))
    assert References.joined([known[0], of(0.5)]).keys is None  # they are computed anew


def test_frames_of_different_counts_are_collated() -> None:
    parts = [of(0.2, frame=[4]), of(), of(0.5, 0.6, 0.7).expand(2)]
    batch = References.collate(parts)
    assert batch.counts == (1, 0, 3, 3)
    assert batch.total == 7
    assert lumas(batch) == [[0.2, 0, 0], [0, 0, 0], [0.5, 0.6, 0.7], [0.5, 0.6, 0.7]]
    assert batch.frame.tolist() == [[4, -1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]
    assert batch.rows().tolist() == [0, 6, 7, 8, 9, 10, 11]
    assert batch.owners().tolist() == [0, 2, 2, 2, 3, 3, 3]
    assert batch.served().tolist() == [0, 2, 3]
    assert batch.mask is None
    none = References.collate([of(), of()])
    assert none.counts == (0, 0)
    assert none.luma.shape == (2, 0, 1, *SIZE)


def test_each_frame_gets_back_what_was_collated() -> None:
    parts = [references(n, size=SIZE, seed=n, propagated=True, mask=True) for n in (1, 3, 2)]
    batch = References.collate(parts)
    for frame, part in enumerate(parts):
        assert_same(of_frame(batch, frame), part)


def test_masks_of_some_are_collated_with_ones_of_the_others() -> None:
    parts = [of(0.2), of(0.5, 0.6, mask=flat(0.0, 0.25)), of()]
    batch = References.collate(parts)
    shown = batch.shown.flatten(0, 1)[batch.rows()]
    assert shown[:, 0, 0, 0].tolist() == [1, 0, 0.25]


def test_references_move_as_one() -> None:
    given = references(2, 1, size=SIZE, propagated=True, mask=True)
    moved = given.to("meta", non_blocking=True)
    for planes in planes_of(moved).values():
        assert planes.device.type == "meta"
    assert moved.frame is given.frame  # on the CPU, and so never waited for
    assert moved.counts == given.counts
    for index in (moved.rows(), moved.owners(), moved.served()):
        assert index.device.type == "meta"
    assert_same(given.to("cpu"), given)


def test_a_batch_takes_its_references_along() -> None:
    batch = {"gray": noise(1, 1, *SIZE), "references": of(0.2)}
    moved = move_data_to_device(batch, torch.device("meta"))
    assert moved["gray"].device.type == "meta"
    assert moved["references"].luma.device.type == "meta"


def test_pinning_pins_all_planes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU nothing can be pinned; that each plane is asked to be is what is shown."""
    monkeypatch.setattr(Tensor, "pin_memory", lambda planes: planes + 1)
    given = references(2, 1, size=SIZE, propagated=True, mask=True)
    pinned = torch.utils.data._utils.pin_memory.pin_memory({"references": given})["references"]
    for name, planes in planes_of(given).items():
        assert torch.equal(getattr(pinned, name), planes + 1), name


def test_a_reference_that_is_given_again_shares_what_it_counts() -> None:
    given = References.of(
        torch.rand(3, 1, 9, 12, generator=torch.Generator().manual_seed(1)),
        torch.rand(3, 2, 9, 12, generator=torch.Generator().manual_seed(2)) - 0.5,
    )
    twice = given.picked([0, 1, 0, 2, 0])
    padded = References.collate([twice, given.picked([1])])
    expected = torch.tensor([[1 / 3, 1, 1 / 3, 1, 1 / 3]]).log()
    torch.testing.assert_close(padded.share()[:1], expected)
    assert padded.share()[1, 0] == 0
    masked = replace(twice, mask=torch.ones(1, 5, 1, 9, 12))
    masked.mask[0, 0, :, :4] = 0
    torch.testing.assert_close(masked.share(), torch.tensor([[1, 1, 1 / 2, 1, 1 / 2]]).log())
