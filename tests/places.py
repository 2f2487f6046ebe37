"""Where this checkout lies, and the real clips and weights beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"
SHARED = ROOT.parent / "shared"
EXPERIMENTS = ROOT / "experiments"
