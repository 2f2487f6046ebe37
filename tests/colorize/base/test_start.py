"""Imports without garbage collection, which goes on afterwards, but not in what was imported."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from colorize.base.start import importing


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    gc.collect()
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_within_and_what_is_made_is_never_looked_at() -> None:
    before = gc.get_freeze_count()
    with importing("nothing_of_this_name"):
        assert not gc.isenabled()
        made = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)
    assert not any(each is made for each in gc.get_objects())


def test_a_failing_import_lets_the_collector_go_on() -> None:
    with pytest.raises(ModuleNotFoundError), importing("nothing_of_this_name"):
        import colorize.nothing  # noqa: F401
    assert gc.isenabled()


def test_who_has_no_collector_gets_none() -> None:
    gc.disable()
    with importing("nothing_of_this_name"):
        pass
    assert not gc.isenabled()


def test_what_is_imported_already_changes_nothing() -> None:
    before = gc.get_freeze_count()
    with importing("gc"):
        assert gc.isenabled()
    assert gc.get_freeze_count() == before
