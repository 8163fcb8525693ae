"""Routes and shapes on the wire, a file per resource."""
