from __future__ import annotations

import pickle

import pytest

from colorize.data.targets.settings import (
    FlowSettings,
    NeighborSettings,
    SegmentSettings,
    TargetSettings,
)


@pytest.mark.parametrize(
    ("settings", "options", "message"),
    [
        (SegmentSettings, {"smoothing": 0.0}, r"segments\.smoothing is 0\.0: expected more than 0"),
        (SegmentSettings, {"neighbors": 0}, r"segments\.neighbors is 0: expected 1 or more"),
        (SegmentSettings, {"depth": 300}, r"segments\.depth is 300: expected at most 255"),
        (
            FlowSettings,
            {"visibility": "all"},
            r"flow\.visibility is 'all': expected agreement, consistency or",
        ),
        (FlowSettings, {"method": "diss"}, r"flow\.method is 'diss': expected dis, .* or truth"),
        (NeighborSettings, {"method": "tree"}, r"neighbors\.method is 'tree': expected exact or"),
        (SegmentSettings, {"source": "true"}, r"segments\.source is 'true': expected watershed or"),
    ],
)
def test_settings_out_of_range_are_refused(settings: type, options: dict, message: str) -> None:
    # Past the run-time type check of tests, as from untyped code.
    made = settings.__new__(settings)
    for name, value in {**vars(settings()), **options}.items():
        object.__setattr__(made, name, value)
    with pytest.raises(ValueError, match=message):
        made.__post_init__()


def test_the_refiners_flow_is_the_other_of_gray_frames_unless_it_is_set() -> None:
    flow = FlowSettings(method="raft_small", input="color", weights="file", threshold=0.1)
    assert TargetSettings(flow=flow).refiner == FlowSettings(
        method="raft_small", input="gray", weights="file", threshold=0.1
    )
    own = FlowSettings(method="raft_large")
    assert TargetSettings(flow=flow, refiner_flow=own).refiner is own


def test_what_is_visible_does_not_change_the_flow() -> None:
    flow = FlowSettings()
    assert flow.gives_the_flow_of(FlowSettings(visibility="both", threshold=0.3))
    for other in ({"method": "raft_small"}, {"weights": "file"}, {"input": "color"}):
        assert not flow.gives_the_flow_of(FlowSettings(**other))


def test_settings_reach_workers_and_serve_as_keys() -> None:
    settings = TargetSettings(segments=SegmentSettings(color_limit=None))
    copy = pickle.loads(pickle.dumps(settings))
    assert copy == settings
    assert hash(copy) == hash(settings)
    assert copy != TargetSettings()
