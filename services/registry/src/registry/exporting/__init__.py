"""The registers on their way out, as files."""
