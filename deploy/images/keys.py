"""Make a trial system's keys, once: /keys/private.pem signs callers' tokens, /keys/public.pem verifies them, and
/keys/NAME.ring.json wraps the keys of the persons whose data service NAME keeps.

The services run as another user and cannot read the private one. Who may start containers can:
`docker compose run --rm --entrypoint cat keys /keys/private.pem`.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from events.privacy.ring import new_ring

SERVICES = ("registry", "grid_tasks", "assessment", "notifications")
SERVICE_USER = 10001

private, public = Path("/keys/private.pem"), Path("/keys/public.pem")

if not public.exists():
    os.umask(0o077)
    pair = Ed25519PrivateKey.generate()
    private.write_bytes(pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    public.chmod(0o644)

for service in SERVICES:
    ring = Path(f"/keys/{service}.ring.json")
    if not ring.exists():
        new_ring("trial").save(ring)
        os.chown(ring, SERVICE_USER, SERVICE_USER)
