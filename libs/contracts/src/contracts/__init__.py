"""The published language of Commongrid: every event that crosses a service border, and nothing else.

A file per publishing service. A consumer ignores fields that it does not know; an added field is optional; anything
else is a new type (`….v2`) that says how the older one is read.
"""
