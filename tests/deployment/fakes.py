"""Programs that stand in for others."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["FAKE_TERRAFORM"]

FAKE_TERRAFORM = f"#!{sys.executable}\n{Path(__file__).with_name('fake_terraform.py').read_text()}"
