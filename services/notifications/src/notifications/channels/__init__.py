"""Channels: how a message leaves the house. A module per channel; what they have in common stands in `letter`."""
