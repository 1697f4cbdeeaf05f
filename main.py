"""The program that `cdktf synth` runs: from the backbone's file to its stacks. `backbone synth` does the same."""

from pathlib import Path

from backbone.cli.app import exit_on_error
from backbone.synthesis.output import synth
from backbone.topology import find, load, output_folder

with exit_on_error():
    file = find(Path(__file__).parent)
    synth(load(file), output_folder(file))
