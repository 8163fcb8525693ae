"""The rules of telling somebody something: pure, without I/O."""
