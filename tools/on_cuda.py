"""Prove, measure and train everything on a GPU that is lent for a quarter of an hour.

    python tools/on_cuda.py --pack
    python tools/on_cuda.py --stages tests,speed --results out/first
    python tools/on_cuda.py --stages train,table --results out/second
    python tools/on_cuda.py --report out/first out/second

The first command prepares what must travel; the next two run on the machine with the card, which
needs no network; the last puts their results on one page. --rehearse runs all stages on a CPU with
tiny settings, in about a minute. Every stage has a limit and writes its results at once; one that
fails or hangs does not stop the others.

exit status: 0 done; 1 a stage did not come to its end; 2 nothing was done.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gpu.machine import NotReady, environment, examine, unpack, writable
from gpu.plan import STAGES, Plan, rehearsal
from gpu.report import Results, page, read
from gpu.stages import Call, few, run_stages

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / "build" / "gpu-pack"


def main() -> int:
    """Do what the command line asks for."""
    options = _parse()
    try:
        if options.report:
            (Path("report.md") if options.results is None else options.results).write_text(
                page(read(options.report))
            )
            return 0
        if options.pack_up:
            # It needs the project itself, which a machine with a card may lack till it is unpacked.
            from gpu.pack import pack_up

            return pack_up(options.pack, stages=options.stages, wheels=options.wheels,
                           resume=options.resume, data=options.data)  # fmt: skip
        return _run(options)
    except (NotReady, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    start = time.monotonic()
    plan = rehearsal() if options.rehearse else _changed(Plan(), options)
    device = "cpu" if options.rehearse else options.device
    # Whoever stops the script stops the stage that runs, and keeps what there is.
    signal.signal(signal.SIGTERM, _interrupt)
    results_folder = options.results or Path("on-cuda")
    results_folder.mkdir(parents=True, exist_ok=True)
    work = writable(options.work)
    try:
        packed: dict[str, Any] = {}
        if not options.rehearse:
            packed = unpack(options.pack, work)
        variables = environment(ROOT, work, device=device)
        machine = examine(ROOT, variables, device=device)
        machine["commit"] = machine["commit"] or packed.get("commit")
        machine["installed"] = packed.get("installed", [])
        print(f"{machine['card'] or 'CPU'}, PyTorch {machine['torch']}, {machine['cores']} cores")
        limits = sum(plan.limits[stage] for stage in options.stages) + plan.preparing
        call = Call(
            root=ROOT,
            work=work,
            results=results_folder.resolve(),
            device=device,
            plan=plan,
            variables=variables,
            ends=start + min(limits, options.seconds),
            settings=options.set,
        )
        results = Results(results_folder.resolve(), machine)
        try:
            run_stages(call, options.stages, results.write)
        except KeyboardInterrupt:  # between two stages
            return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    few(results_folder)
    print(f"results: {results_folder}")
    return 0 if results.complete else 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _changed(plan: Plan, options: argparse.Namespace) -> Plan:
    if options.recipe is None:
        return plan
    data = ("data.clips.root=data/penny-and-chip", "data.stories.root=data/storybook")
    training = plan.training if options.recipe == plan.recipe else data
    return dataclasses.replace(plan, recipe=options.recipe, training=training)


def _stages(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in STAGES:
            raise argparse.ArgumentTypeError(f"{name!r} is no stage; valid: {', '.join(STAGES)}")
    return names


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="on_cuda", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--stages", type=_stages, default=list(STAGES), metavar="STAGE,...",
        help=f"some of {', '.join(STAGES)} (default: all)")  # fmt: skip
    add("--results", type=Path, metavar="DIR",
        help="where results go (default on-cuda; of --report the page, report.md)")  # fmt: skip
    add("--pack", dest="pack_up", action="store_true",
        help="prepare what these stages need to travel, and print its size")  # fmt: skip
    add("--folder", dest="pack", type=Path, default=PACK, metavar="DIR",
        help="the folder of the pack (default build/gpu-pack)")  # fmt: skip
    add("--rehearse", action="store_true", help="run on the CPU, with tiny settings, no pack")
    add("--report", type=Path, nargs="+", metavar="DIR", help="put results on one page")
    add("--recipe", metavar="NAME", help="what train trains: experiment=NAME (default committee)")
    add("--set", nargs="+", default=[], metavar="SETTING=VALUE", help="settings of train besides")
    add("--device", default="cuda", choices=("cuda", "cpu"), help="cuda (default) or cpu")
    add("--seconds", type=float, default=float("inf"), help="end the whole call after so long")
    add("--work", type=Path, metavar="DIR", help="where to work (default: a temporary folder)")
    add("--data", type=Path, metavar="DIR", default=ROOT.parent / "shared",
        help="of --pack: the folder of data/ and weights/ (default ../shared)")  # fmt: skip
    add("--wheels", nargs="*", metavar="PACKAGE",
        help="of --pack: packages to bring (default: what is seldom there)")  # fmt: skip
    add("--resume", type=Path, nargs="+", default=[], metavar="FILE",
        help="of --pack: resume.tar, or its parts, of an earlier call's results")  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
