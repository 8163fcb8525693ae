"""Make a trial system's pair of keys, once: /keys/private.pem signs callers' tokens, /keys/public.pem verifies them.

The services run as another user and cannot read the private one. Who may start containers can:
`docker compose run --rm --entrypoint cat keys /keys/private.pem`.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

private, public = Path("/keys/private.pem"), Path("/keys/public.pem")

if not public.exists():
    os.umask(0o077)
    pair = Ed25519PrivateKey.generate()
    private.write_bytes(pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    public.chmod(0o644)
