"""How long each stage may take, what it trains, and how small all of it is in a rehearsal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STAGES = ("tests", "speed", "train", "table")
CALLS = (("tests", "speed"), ("train", "table"))  # what one call runs, as a lent machine bears it
BUDGET = 13 * 60  # seconds that all calls together may take

# The recorded table of experiments/table1, with weights of losses that act.
_TABLE = (
    *(
        "protocol=short",
        "loss_weights=balanced",
        "protocol.small=[36,64]",
        "protocol.large=[54,96]",
    ),
    *("protocol.epochs=60", "protocol.small_epochs=24", "protocol.large_epochs=36"),
    *("sampling.batch_size=8", "model=prototype_chroma", "model.channels=[16,32,64,128,256]"),
    *("features=vgg19_relu3_1", "features.weights=weights/vgg19_normalised_to_relu3_1.safetensors"),
    *("optimizer.learning_rate=1e-3", "optimizer.schedule=cosine", "optimizer.warmup_steps=20"),
    *("trainer.gradient_clip_val=1", "validation.frames_per_clip=4", "validation.pictures=0"),
    *("evaluation.every=12", "evaluation.metric.lpips.net=squeeze"),
    "evaluation.metric.lpips.weights=weights/squeezenet1_1_features_caffe.safetensors",
    "metric@evaluation.metric=[psnr,lpips,lab,colorfulness]",
    *("targets.cache=targets", "data.root=data/penny-and-chip"),
)
_COMMITTEE = (
    *("data.clips.root=data/penny-and-chip", "data.stories.root=data/storybook"),
    # Drawing cartoons is what a start takes longest for.
    *("data.cartoons=12", "sampling.batch_size=32", "validation.pictures=0"),
)
_ROWS = (
    "rank_diversity_bilateral_temporal",
    "rank_diversity_bilateral_temporal_refined",
    "rank_diversity_segment",
    "rank_diversity_bilateral_segment",
    "rank_diversity_bilateral",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Limits in seconds by stage, and what is trained.

    ``preparing`` is the limit of each call's unpacking and installing. Of the limits of ``train``
    and ``table``, ``around`` seconds are for what comes before and after the training itself.
    ``rows`` of the table train at once.
    """

    limits: Mapping[str, float] = field(
        default_factory=lambda: {"tests": 110, "speed": 160, "train": 230, "table": 210}
    )
    preparing: float = 30
    around: float = 70
    recipe: str = "committee"
    training: Sequence[str] = _COMMITTEE
    rows: Sequence[str] = _ROWS
    table: Sequence[str] = _TABLE
    tiny: bool = False

    def total(self) -> float:
        """Return the seconds that all calls take at most."""
        return sum(self.limits[stage] for stage in STAGES) + len(CALLS) * self.preparing

    def minutes(self, stage: str, seconds: float) -> float:
        """Return the minutes that a stage of ``seconds`` trains."""
        return max(0.1, seconds - self.around) / 60 if not self.tiny else 0.02


def rehearsal() -> Plan:
    """Return a plan that a CPU runs through in about a minute, on cartoons drawn on the spot."""
    small = ("model.channels=[4,4,4]", "validation.pictures=0", "trainer.max_epochs=1")
    return Plan(
        limits=dict.fromkeys(STAGES, 200),  # of a core that others use as well
        recipe="demo",
        training=("debug=tiny", *small),
        rows=_ROWS[-2:],
        table=(
            *("protocol=tiny", "data=cartoon_tiny", "protocol.epochs=2", "protocol.small_epochs=1"),
            *("protocol.large_epochs=1", "protocol.small=[16,24]", "protocol.large=[32,48]"),
            *("sampling.stills=4", "sampling.pairs=4", "sampling.batch_size=2", "frames=0"),
            *("trainer.accelerator=cpu", "validation.frames_per_clip=1"),
            *("model.channels=[4,4]", "validation.pictures=0", "evaluation.device=cpu"),
        ),
        tiny=True,
    )
