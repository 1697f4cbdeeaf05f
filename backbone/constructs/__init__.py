"""CDKTF constructs, one AWS noun each. They take valid input: `topology.py` has checked it."""
