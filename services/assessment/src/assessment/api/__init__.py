"""Routes and the shapes on the wire."""
