"""Registers from files: how a row becomes a command, and how thousands of them are entered."""
