"""Routes and the shapes on the wire, a file per resource."""
