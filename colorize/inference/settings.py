"""How things are coloured: every setting declared once.

A field of :class:`RenderSettings` says what it may be, how it is called and what it changes. The
flags of ``colorize``, the page's form and check, a job's manifest, the keys of its parts and the
worker's request are made of that. A new one is a field here, and its use where frames are coloured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from colorize.base.errors import UserError
from colorize.base.progress import say

# PyTorch takes seconds to import: --help need not wait for it.
if TYPE_CHECKING:
    from typing import Self

    from colorize.inference.loaded import LoadedNetworks

Affects = Literal["pixels", "file", "plan"]
Kind = Literal["check", "choice", "number", "slider"]
Number = int | float

# One more whenever the same settings and weights give other colours: what an earlier version has
# coloured of a film is then coloured anew, not mixed with the new.
ENGINE = 3

# Settings of earlier versions, and why they are gone.
_RETIRED = {"snap": "it was measured to be no gain on real drawings"}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is known of a field of :class:`RenderSettings`, whose name is filled in.

    ``affects`` says whether it changes the pixels of a shot, the written file only, or the plan:
    which shots are coloured in which way. ``help`` is that of its flag, which is called as the
    field unless ``flag`` says otherwise; one that is on unless told otherwise is ``--no-…``.
    ``label`` is that of its control on the page, None leaves it out there.

    Numbers lie from ``low`` to ``high``; the page offers those of ``offered``, in steps of
    ``step``, and takes no others where ``high`` is infinite.
    ``choices`` are words and their labels; where ``numbered`` is a label with ``{}`` for a number,
    whole numbers from 0 are choices too. ``empty`` is the label of None. ``always_in_key``: keys of
    parts hold it even at its default, as those of the first version do.
    """

    default: Any
    affects: Affects
    help: str
    label: str | None
    flag: str | None = None
    metavar: str | None = None
    low: Number = 0
    high: Number = inf
    offered: tuple[Number, Number] | None = None
    step: Number = 1
    choices: Mapping[str, str] = field(default_factory=dict)
    numbered: str = ""
    empty: str = ""
    always_in_key: bool = False
    name: str = ""

    @property
    def kind(self) -> Kind:
        """What the page shows it as."""
        if isinstance(self.default, bool):
            return "check"
        if self.choices:
            return "choice"
        return "slider" if isinstance(self.default, float) else "number"

    @property
    def word(self) -> str:
        """What a user calls it."""
        return self.flag or self.name

    @property
    def words(self) -> list[str]:
        """Its choices, in words."""
        return [*self.choices, *(["a whole number"] if self.numbered else [])]

    def check(self, value: object, *, on_page: bool = False) -> None:
        """Refuse a value that it cannot have, or that the page does not take.

        Raises:
            UserError: Naming the setting and what was expected.
        """
        low, high = self.low, self.high
        if on_page and high == inf and self.offered:
            low, high = self.offered
        if not self._has(value, low, high):
            expected = self._expected(low, high)
            raise UserError(f"{self.word} is {value!r}: expected {expected}")

    def _has(self, value: object, low: Number, high: Number) -> bool:
        if isinstance(value, bool) or self.kind == "check":
            return isinstance(value, bool) and self.kind == "check"
        if self.kind == "choice":
            numbered = bool(self.numbered) and isinstance(value, int) and value >= 0
            return numbered or value in self.choices
        if value is None:
            return self.default is None
        types = (int, float) if self.kind == "slider" else int
        return isinstance(value, types) and low <= value <= high

    def _expected(self, low: Number, high: Number) -> str:
        """Return what it may be, in words."""
        if self.kind == "check":
            return "true or false"
        if self.kind == "choice":
            return " or ".join(self.words)
        numbers = f"{low:g} or more" if high == inf else f"{low:g} to {high:g}"
        return numbers + (", or nothing" if self.default is None else "")


def _declared(**known: Any) -> Any:
    """Return the field of a :class:`Setting` of which this is known."""
    return field(default=known["default"], metadata={"setting": Setting(**known)})


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """How something is coloured, besides its network and its references.

    ``short_side`` is the working size in pixels, None that of the training. ``variant`` is one of
    the network's K outputs, or auto: one for each shot. ``refine`` uses the checkpoint's refiner,
    where it has one, ``fast`` computes in bfloat16. ``quality`` is of lossy formats. ``recolor``
    also colours shots that are in colour already.

    Raises:
        UserError: A value is none that the setting can have.
    """

    short_side: int | None = _declared(
        default=None,
        low=1,
        offered=(16, 4096),
        step=8,
        flag="size",
        help="short side the network works at, in pixels (default: that of the training)",
        label="Working size (short side)",
        empty="as trained",
        affects="pixels",
        always_in_key=True,
    )
    variant: Literal["auto"] | int = _declared(
        default="auto",
        choices={"auto": "choose for each shot"},
        numbered="always number {}",
        metavar="N",
        help="which of the model's K colourings, or auto: one for each shot (default %(default)s)",
        label="Colouring",
        affects="plan",  # a part's key has the choice that was made for its shot
    )
    saturation: float = _declared(
        default=1.0,
        high=10,
        offered=(0, 2),
        step=0.05,
        metavar="FACTOR",
        help="strength of the colours (default %(default)g)",
        label="Saturation",
        affects="pixels",
        always_in_key=True,
    )
    vivid: float = _declared(
        default=0.0,
        high=1,
        step=0.05,
        help="boldness where colours are not sure: 0 is nearest to the truth on average, and pale; "
        "1 is as colourful as it may be (default %(default)g)",
        label="Boldness of unsure colours",
        affects="pixels",
    )
    stillness: float = _declared(
        default=0.9,  # colorize.motion.smoothing.DEFAULT_STRENGTH
        high=1,
        step=0.05,
        help="how firmly colours hold still within a shot (default %(default)g)",
        label="Stillness of colours",
        affects="pixels",
        always_in_key=True,
    )
    quality: int = _declared(
        default=90,
        low=1,
        high=100,
        help="of JPEG, WebP and video (default %(default)s); PNG, TIFF and BMP lose nothing",
        label=None,
        affects="file",
        always_in_key=True,
    )
    recolor: bool = _declared(
        default=False,
        help="colour also shots that are in colour already, from their luma",
        label="Colour also what is in colour already",
        affects="plan",
    )
    refine: bool = _declared(
        default=True,
        help="leave out the checkpoint's refinement network, if it has one",
        label=None,
        affects="pixels",
        always_in_key=True,
    )
    references_per_frame: int = _declared(
        default=4,
        low=1,
        high=16,
        flag="references-per-frame",
        metavar="N",
        help="a frame looks at its nearest N references (default %(default)s); what it costs grows "
        "with their number",
        label="References a frame looks at",
        affects="pixels",
    )
    fast: bool = _declared(
        default=False,
        help="compute in half precision: nearly the same colours, nearly twice as fast on GPUs "
        "and on processors with bfloat16 instructions (slower on others)",
        label="Colour faster, a little less exactly (on GPUs and newer processors)",
        affects="pixels",
    )

    def __post_init__(self) -> None:
        checked(self.values())

    def fitted(self, colorizer: LoadedNetworks) -> Self:
        """Return what these settings come to with a network: its working size, its refiner or none.

        Raises:
            UserError: The network has no such variant.
        """
        if isinstance(self.variant, int):
            colorizer.check_variant(self.variant)
        if self.vivid and not colorizer.tells_spread:
            say(
                "vivid does nothing here: this model does not tell how sure it is of its colours; "
                "the weights that come with tooncolor do"
            )
        refine = self.refine and colorizer.refiner is not None
        return replace(self, short_side=colorizer.short_side, refine=refine)

    def values(self) -> dict[str, Any]:
        """Return these settings by name, without what a subclass adds."""
        return {setting.name: getattr(self, setting.name) for setting in declared_settings()}

    def deciding(self, affects: Affects) -> dict[str, Any]:
        """Return by name what decides about the pixels, the file or the plan, for a key.

        What has come since the first version is left out at its default, so that keys stay valid.
        """
        values = self.values()
        return {
            each.name: values[each.name]
            for each in declared_settings()
            if each.affects == affects and (each.always_in_key or values[each.name] != each.default)
        }


@cache
def declared_settings() -> tuple[Setting, ...]:
    """Return what was declared of every field of :class:`RenderSettings`."""
    declared = fields(RenderSettings)
    return tuple(replace(each.metadata["setting"], name=each.name) for each in declared)


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a file has them, after a look at each: its 1 is the same as 1.0.

    Raises:
        UserError: A value is none that the setting can have.
    """
    known = dict(values)
    for setting in declared_settings():
        if setting.name in known:
            setting.check(known[setting.name])
            if setting.kind == "slider":
                known[setting.name] = float(known[setting.name])
    return known


def without_retired(values: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return settings of an earlier version without those that are gone.

    Beside them stands what is to be said of one that was on; nothing of those that were off.
    """
    on = [f"{name} is gone: {why}" for name, why in _RETIRED.items() if values.get(name)]
    return {name: value for name, value in values.items() if name not in _RETIRED}, "; ".join(on)
