"""Run all measurements and print their tables."""

from benchmarks import synthesis

synthesis.main()
