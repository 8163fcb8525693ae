"""Tells the right people by the channel they use, once."""
