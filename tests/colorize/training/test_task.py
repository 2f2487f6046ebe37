"""The training step, its schedule and the validation rows, each against values by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from colorize.losses import Color, Proposals
from colorize.metrics.psnr import Psnr
from colorize.networks.guided.network import GuidedNetwork
from colorize.networks.guided.references import References
from colorize.pretrained.squeezenet import SqueezeNet
from colorize.training.objective import NonFiniteLossError, Objective
from colorize.training.task import ColorizationTask
from tests.colorize.networks.guided.given import of_frame, planes_of
from tests.colorize.tiny import description, task


class Trainer:
    """As much of Lightning's trainer as a task asks for."""

    def __init__(self, steps: int, global_step: int = 0) -> None:
        self.estimated_stepping_batches = steps
        self.global_step = global_step


def batch(*, count: int = 2, frames: int = 1, size: tuple[int, int] = (16, 24), seed: int = 0):
    """Random colours with their gray, as the loaders give them."""
    random = torch.Generator().manual_seed(seed)
    color = torch.rand(count, frames, 3, *size, generator=random)
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return {"gray": (color * weights).sum(2, keepdim=True), "color": color}


@pytest.fixture
def logged(monkeypatch):
    """Return a function: record what a task logs."""

    def record(trained) -> dict[str, float]:
        values: dict[str, float] = {}
        monkeypatch.setattr(
            trained, "log", lambda name, value, **_: values.update({name: float(value)})
        )
        return values

    return record


def flat_batch():
    """Two flat colours, which a network of any size can learn from their grays."""
    color = torch.tensor([[0.8, 0.3, 0.2], [0.2, 0.3, 0.9]])[:, None, :, None, None]
    color = color.expand(2, 1, 3, 16, 16).contiguous()
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return {"gray": (color * weights).sum(2, keepdim=True), "color": color}


def descended(trained, sample, logged, *, steps: int) -> list[float]:
    """Train on one batch, and return its losses, one more than there are steps."""
    logged(trained)
    optimizer = torch.optim.Adam(
        [each for each in trained.parameters() if each.requires_grad], lr=trained.learning_rate
    )
    losses = []
    for step in range(steps + 1):
        loss = trained.training_step(sample, step)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def test_twenty_steps_on_one_batch_lower_the_loss(logged) -> None:
    first, *_, last = descended(task(learning_rate=2e-2), flat_batch(), logged, steps=20)
    assert last < 0.7 * first


@pytest.mark.parametrize("choices", [{}, {"head": "rgb", "luma": "free"}])
def test_a_gradient_reaches_every_trained_parameter(logged, choices) -> None:
    trained = task(**choices)
    logged(trained)
    trained.training_step(batch(), 0).backward()
    named = dict(trained.named_parameters())
    assert len(named) == 14
    for name, parameter in named.items():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_step_is_the_objective_of_the_colourings(logged) -> None:
    """RankDiv by hand: 0.2 (min_k l_k + sum_k 0.01 2^(K-k) l_k), l_k = 255 mean |difference|."""
    trained, sample = task(), batch()
    values = logged(trained)
    total = trained.training_step(sample, 0)
    outputs = trained.model(sample["gray"][:, 0]).colors.detach().numpy().astype(np.float64)
    difference = np.abs(outputs - sample["color"].numpy())
    distances = 255 * difference.mean(axis=(2, 3, 4))
    ranked = distances.min(axis=1) + 0.04 * distances[:, 0] + 0.02 * distances[:, 1]
    assert float(total.detach()) == pytest.approx(0.2 * ranked.mean(), rel=1e-5)
    assert values == pytest.approx(
        {"train/rank_diversity/still": float(total.detach()), "train/total": float(total.detach())}
    )


def test_stills_and_pairs_are_logged_apart(logged) -> None:
    trained = task()
    values = logged(trained)
    pair = batch(frames=2)
    assert trained(pair).colors.shape == (2 * 2, 2, 3, 16, 24)
    trained.training_step(pair, 0)
    assert set(values) == {"train/rank_diversity/pair", "train/total"}


def test_frames_of_a_pair_are_coloured_each_as_alone() -> None:
    trained, pair = task(), batch(frames=2)
    both = trained(pair).colors.unflatten(0, (2, 2))
    for number in (0, 1):
        alone = trained({"gray": pair["gray"][:, number : number + 1]}).colors
        torch.testing.assert_close(both[:, number], alone, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
def test_a_loss_that_is_not_finite_names_the_step_and_the_term(logged) -> None:
    trained = task()
    trained.trainer = trainer = Trainer(steps=10, global_step=6)
    logged(trained)
    sample = batch()
    sample["color"][0, 0, 0, 0, 0] = math.nan
    with pytest.raises(NonFiniteLossError, match=r"step 6: rank_diversity = nan"):
        trained.training_step(sample, 0)
    assert trainer.global_step == 6


def test_validation_logs_each_metric_by_row(logged) -> None:
    trained, sample = task(), batch(count=3)
    values = logged(trained)
    trained.validation_step(sample, 0)
    truth = sample["color"][:, 0].numpy().astype(np.float64)
    gray = np.einsum("bchw,c->bhw", truth, [0.299, 0.587, 0.114])[:, None]
    noise = np.square(gray - truth).mean(axis=(1, 2, 3))
    assert values["val/psnr/gray"] == pytest.approx(np.mean(-10 * np.log10(noise)), abs=1e-4)
    assert set(values) == {f"val/psnr/{row}" for row in ("gray", "mean", "first", "best")}
    assert values["val/psnr/best"] > values["val/psnr/mean"]
    assert values["val/psnr/first"] != values["val/psnr/mean"]


def refined_pair() -> dict[str, torch.Tensor]:
    """A pair whose gray stands still while its colours change."""
    sample = batch(frames=2, size=(20, 24))
    sample["gray"][:, 1] = sample["gray"][:, 0]
    return sample | {"refiner_flow": torch.zeros(2, 2, 2, 20, 24)}


def gradients(network: torch.nn.Module) -> dict[str, torch.Tensor | None]:
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def test_the_refiner_is_trained_and_leaves_the_generator_alone(logged) -> None:
    """f's gradient is bit for bit that of a task without g, and reaches every parameter of g."""
    alone, both = task(), task(refine={"channels": [4, 4]})
    logged(alone)
    values = logged(both)
    alone.training_step(refined_pair(), 0).backward()
    both.training_step(refined_pair(), 0).backward()
    for name, gradient in gradients(alone.model).items():
        assert torch.equal(gradient, gradients(both.model)[name]), name
    for name, gradient in gradients(both.refiner).items():
        assert gradient is not None, name
        assert gradient.abs().sum() > 0, name
    assert set(values) == {"train/rank_diversity/pair", "train/refinement/pair", "train/total"}


def test_a_still_leaves_the_refiner_without_a_gradient(logged) -> None:
    trained = task(refine={"channels": [4, 4]})
    logged(trained)
    trained.training_step(batch(), 0).backward()
    assert all(gradient is None for gradient in gradients(trained.refiner).values())


def test_the_refiners_loss_is_the_formula_on_the_colourings_of_f(logged) -> None:
    """mean|C1 - g| + mean(low |W(c0) - g|) + mean((1 - low)|c1 - g|), flow zero, in NumPy."""
    trained = task(refine={"channels": [4, 4]}, head="rgb", luma="free")
    values, sample = logged(trained), refined_pair()
    trained.training_step(sample, 0)
    outputs = trained(sample).colors.detach().clamp(0, 1).unflatten(0, (2, 2)).numpy()
    gray, truth = sample["gray"].numpy(), sample["color"].numpy()
    c0, c1, x0, x1 = outputs[:, 0], outputs[:, 1], gray[:, 0], gray[:, 1]
    terms = []
    for b in range(2):
        for k in range(2):
            steady_color = np.abs(c1[b, k] - c0[b, k]).max(axis=0) < 0.05
            steady_gray = np.abs(x1[b] - x0[b]).max(axis=0) < 0.05
            low = (steady_gray & ~steady_color).astype(np.float32)
            coarse = c1[b, k] * (1 - low) + x1[b] * low
            masks = [np.repeat(m[None], 3, 0) for m in (low, steady_color, steady_gray)]
            planes = np.concatenate([coarse, c0[b, k], c1[b, k], *masks]).astype(np.float32)
            g = trained.refiner(torch.from_numpy(planes)[None], sample["gray"][b : b + 1, 1])
            g = g[0].detach().numpy()
            terms.append(
                np.abs(truth[b, 1] - g).mean()
                + (low * np.abs(c0[b, k] - g)).mean()
                + ((1 - low) * np.abs(c1[b, k] - g)).mean()
            )
    assert values["train/refinement/pair"] == pytest.approx(np.mean(terms), rel=1e-4)


def test_one_output_in_turn_is_refined(logged) -> None:
    """The terms of k = 0 and k = 1, at steps 0 and 1, have the mean of both at once."""
    values = {}
    for name, choice, step in [("0", "one", 0), ("1", "one", 1), ("both", "all", 0)]:
        trained = task(refine={"channels": [4, 4], "trained_outputs": choice})
        trained.trainer = trainer = Trainer(steps=10, global_step=step)
        record = logged(trained)
        trained.training_step(refined_pair(), 0)
        values[name] = record["train/refinement/pair"]
        assert trainer.global_step == step
    assert values["0"] != values["1"]
    assert values["both"] == pytest.approx((values["0"] + values["1"]) / 2, rel=1e-4)


def test_gradients_of_the_two_networks_are_clipped_apart(logged) -> None:
    trained = task(refine={"channels": [4, 4]})
    logged(trained)
    trained.training_step(refined_pair(), 0).backward()
    trained.configure_gradient_clipping(torch.optim.SGD(trained.parameters()), 0.01)
    for network in (trained.model, trained.refiner):
        norms = [gradient.norm() for gradient in gradients(network).values()]
        assert float(torch.stack(norms).norm()) == pytest.approx(0.01, rel=1e-3)
    before = {name: g.clone() for name, g in gradients(trained.model).items()}
    trained.configure_gradient_clipping(torch.optim.SGD(trained.parameters()), None)
    for name, gradient in gradients(trained.model).items():
        assert torch.equal(gradient, before[name])


def test_validation_measures_what_the_refiner_shows_beside_the_rest(logged) -> None:
    trained, sample = task(refine={"channels": [4, 4]}), refined_pair()
    values = logged(trained)
    trained.validation_step({name: tensor[:1] for name, tensor in sample.items()}, 0)
    assert set(values) == {
        f"val/psnr/{row}" for row in ("gray", "mean", "first", "best", "refined")
    }
    assert values["val/psnr/refined"] != values["val/psnr/mean"]
    main = logged(alone := task())
    alone.validation_step({name: tensor[:1, 1:] for name, tensor in sample.items()}, 0)
    assert main["val/psnr/mean"] == pytest.approx(values["val/psnr/mean"], abs=1e-4)


@pytest.mark.parametrize("inputs", ["gray_pair", "gray_segments", "gray_previous"])
def test_the_generator_sees_what_its_inputs_name(logged, inputs: str) -> None:
    trained, sample = task(inputs=inputs), batch(frames=2)
    sample["previous_color"] = batch(frames=2, seed=1)["color"]
    sample["has_previous"] = torch.tensor([[False, True], [True, True]])
    sample["segment_planes"] = batch(frames=2, seed=2)["color"][:, :, :2]
    logged(trained)
    trained.training_step(sample, 0).backward()
    for name, gradient in gradients(trained.model).items():
        assert gradient is not None, name
        assert gradient.abs().sum() > 0, name
    changed = dict(sample)
    key = "segment_planes" if inputs == "gray_segments" else "previous_color"
    changed[key] = 1 - sample[key]
    same = trained(changed).colors == trained(sample).colors
    same = same.unflatten(0, (2, 2)).flatten(2).all(dim=2)
    # Without a frame before, its colour is not looked at.
    assert same.tolist() == [[inputs == "gray_previous", False], [False, False]]


def test_a_single_output_is_its_own_mean(logged) -> None:
    trained = task(outputs=1)
    values = logged(trained)
    trained.validation_step(batch(), 0)
    assert set(values) == {"val/psnr/gray", "val/psnr/mean"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"schedule": "constant"}, {0: 0.1, 7: 0.1, 20: 0.1}),
        ({"schedule": "constant", "warmup_steps": 4}, {0: 0.025, 1: 0.05, 3: 0.1, 4: 0.1, 20: 0.1}),
        ({"schedule": "cosine"}, {0: 0.1, 5: 0.1 * (2 + math.sqrt(2)) / 4, 10: 0.05, 20: 0.0}),
        (
            {"schedule": "cosine", "warmup_steps": 4},
            {0: 0.025, 2: 0.075, 3: 0.1, 4: 0.1, 12: 0.05, 20: 0.0, 25: 0.0},
        ),
    ],
)
def test_the_learning_rate_by_step(settings, expected: dict[int, float]) -> None:
    trained = task(learning_rate=0.1, betas=(0.8, 0.95), **settings)
    trained.trainer = trainer = Trainer(steps=20)
    configured = trained.configure_optimizers()
    optimizer, scheduler = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    assert configured["lr_scheduler"]["interval"] == "step"
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.95)
    rates = {}
    for step in range(26):
        rates[step] = scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step()
    assert {step: rates[step] for step in expected} == pytest.approx(expected, abs=1e-12)
    assert trainer.estimated_stepping_batches == 20


def test_frozen_parameters_are_not_given_to_the_optimizer() -> None:
    trained = task()
    trained.model.unet.second.requires_grad_(False)
    trained.trainer = trainer = Trainer(steps=20)
    optimizer = trained.configure_optimizers()["optimizer"]
    given = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert id(trained.model.unet.second.weight) not in given
    assert len(given) == 12
    assert trainer.global_step == 0


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"optimizer\.schedule is 'step': expected constant or"):
        task(schedule="step")


def test_a_checkpoint_says_what_and_when_it_is() -> None:
    trained = task(about=description())
    trained.trainer = trainer = Trainer(steps=20, global_step=11)
    content: dict = {}
    trained.on_save_checkpoint(content)
    assert content["tooncolor"] == description() | {"step": 11}
    assert trainer.global_step == 11


def reference_task(*, normalization: str = "batch") -> ColorizationTask:
    """A task on a tiny reference-guided generator of seeded random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GuidedNetwork(
            features=SqueezeNet(weights="random"),
            channels=(4, 4, 4, 4, 4),
            match_width=8,
            fusion_width=4,
            normalization=normalization,
        )
    return ColorizationTask(
        model=model,
        objective=Objective({"color": Color(), "proposals": Proposals(weight=0.5)}),
        metrics={"psnr": Psnr()},
        learning_rate=2e-2,
    )


def referenced_batch(
    *counts: int, size: tuple[int, int] = (16, 32), mask: bool = False
) -> dict[str, Any]:
    """Random stills with as many references each as ``counts`` says: their own colours, turned."""
    sample: dict[str, Any] = batch(count=len(counts), size=size)
    parts = []
    for color, gray, count in zip(sample["color"], sample["gray"], counts, strict=True):
        chroma = torch.cat([(color[:, 2:] - gray) / 1.772, (color[:, :1] - gray) / 1.402], dim=1)
        shown = [
            planes.roll(3, dims=-1).expand(count, -1, -1, -1).contiguous()
            for planes in (gray, chroma)
        ]
        part = References.of(*shown, mask=torch.ones(count, 1, *size) if mask else None)
        still = torch.zeros(1, count, 2, *size)
        parts.append(replace(part, flow=still, propagated=still + 1))
    return sample | {"references": References.collate(parts)}


def part_of(sample: dict[str, Any], first: int, count: int) -> dict[str, Any]:
    """Some of the stills of a batch, with their references."""
    given = sample["references"]
    own = [of_frame(given, frame) for frame in range(first, first + count)]
    part = {name: sample[name][first : first + count] for name in ("gray", "color")}
    return part | {"references": References.collate(own)}


def test_the_network_is_shown_the_references_of_a_batch() -> None:
    trained, sample = reference_task(), referenced_batch(1, 2)
    seen: list[tuple] = []
    trained.model.register_forward_pre_hook(lambda _, given: seen.append(given))
    trained(sample)
    trained(batch(size=(16, 32)))
    assert seen[0][1] is sample["references"]
    assert seen[1][1] is None
    assert torch.equal(seen[0][0], sample["gray"][:, 0])


def test_a_batch_goes_to_a_device_with_its_references() -> None:
    moved = reference_task().transfer_batch_to_device(
        referenced_batch(1, 0, mask=True), torch.device("meta"), 0
    )
    for planes in (moved["gray"], *planes_of(moved["references"]).values()):
        assert planes.device.type == "meta"
    assert moved["references"].counts == (1, 0)


def test_the_reference_guided_model_learns_on_one_batch(logged) -> None:
    first, *_, last = descended(reference_task(), referenced_batch(1, 2), logged, steps=20)
    assert last < 0.85 * first


def test_references_teach_every_trained_parameter(logged) -> None:
    trained = reference_task()
    logged(trained)
    trained.training_step(referenced_batch(1, 2), 0).backward()
    for name, parameter in trained.named_parameters():
        if "features" in name:
            assert parameter.grad is None, name
        else:
            assert parameter.grad.abs().sum() > 0, name


def test_the_step_with_references_is_the_objective_of_what_is_painted(logged) -> None:
    trained, sample = reference_task(), referenced_batch(0, 1)
    values = logged(trained)
    total = float(trained.training_step(sample, 0).detach())
    with torch.no_grad():
        painted = trained.model.paint(sample["gray"][:, 0], sample["references"])
    truth, gray = sample["color"][:, 0].double().numpy(), sample["gray"][:, 0].double().numpy()

    def distance(difference: np.ndarray) -> float:
        size = np.abs(difference)
        return float(np.where(size < 0.1, size**2 / 0.2, size - 0.05).mean())

    def offsets(chroma: np.ndarray) -> np.ndarray:
        """R, G and B less the luma."""
        red, blue = 1.402 * chroma[:, 1], 1.772 * chroma[:, 0]
        return np.stack([red, -(0.299 * red + 0.114 * blue) / 0.587, blue], axis=1)

    true = np.stack(
        [(truth[:, 2] - gray[:, 0]) / 1.772, (truth[:, 0] - gray[:, 0]) / 1.402], axis=1
    )
    coarse = true.reshape(2, 2, 4, 4, 8, 4).mean(axis=(3, 5))
    made, fused, attended = (
        planes.double().numpy() for planes in (painted.chroma, painted.fused, painted.attended)
    )
    served = np.array([0, 1])[:, None, None, None]  # frame 0 has no reference
    color = distance(gray + offsets(made) - truth)
    proposals = distance(offsets((fused - true) * served))
    proposals += 0.6 * distance(offsets((attended - coarse) * served))
    assert values == pytest.approx(
        {
            "train/color/still": color,
            "train/proposals/still": proposals,
            "train/total": color + 0.5 * proposals,
        },
        rel=1e-4,
    )
    assert total == pytest.approx(values["train/total"])


def test_halves_of_a_batch_have_its_gradient_on_average(logged) -> None:
    """What two processes need to equal one; the fusion's batch normalisation, which sees the
    proposals of its own process, stands still for it."""
    gradients_of = []
    whole = referenced_batch(2, 1, 0, 2)
    for parts in ([whole], [part_of(whole, 0, 2), part_of(whole, 2, 2)]):
        trained = reference_task(normalization="none")
        trained.model.fusion.eval()
        logged(trained)
        (sum(trained.training_step(part, 0) for part in parts) / len(parts)).backward()
        gradients_of.append(
            {name: g for name, g in gradients(trained.model).items() if g is not None}
        )
    one, two = gradients_of
    assert one.keys() == two.keys()
    for name, gradient in one.items():
        size = float(gradient.abs().max())
        torch.testing.assert_close(two[name], gradient, rtol=0, atol=1e-4 * size + 1e-7)


def test_validation_measures_with_references_and_without(logged) -> None:
    trained, sample = reference_task().eval(), referenced_batch(2)
    with torch.no_grad():
        trained.model.unet.output.weight.mul_(20)
    values = logged(trained)
    trained.validation_step(sample, 0)
    assert set(values) == {f"val/psnr/{row}" for row in ("gray", "mean", "automatic")}
    alone = logged(trained)
    trained.validation_step({name: sample[name] for name in ("gray", "color")}, 0)
    assert alone["val/psnr/mean"] == pytest.approx(values["val/psnr/automatic"], abs=1e-4)
    assert values["val/psnr/automatic"] != pytest.approx(values["val/psnr/mean"], abs=1e-3)
