"""The published language: every event that crosses a service border."""
