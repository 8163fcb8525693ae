"""The rules of assessment: pure, no I/O."""
