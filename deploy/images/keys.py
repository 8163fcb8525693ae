"""Make a trial system's keys, once. `python keys.py ADDRESS`, ADDRESS being what the tokens' `iss` will say.

/keys/private.pem signs callers' tokens, /keys/published is what a real issuer would publish of it, and
/keys/NAME.ring.json wraps the keys of the persons whose data service NAME keeps. /keys/NAME.token is the
own token of a service that asks others for keys.

The services' user cannot read the private key. Who may start containers can:
`docker compose run --rm --entrypoint cat keys /keys/private.pem`.
"""

import hashlib
import json
import os
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from events.privacy.ring import new_ring

SERVICES = ("registry", "grid_tasks", "assessment", "notifications")
ASKING = ("notifications", "grid_tasks", "registry")
YEARS = 10 * 365 * 24 * 3600
SERVICE_USER = 10001

address = sys.argv[1]
private = Path("/keys/private.pem")
published = Path("/keys/published", address.rpartition("/")[2])

os.umask(0o077)
if not private.exists():
    private.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

os.umask(0o022)
public = load_pem_private_key(private.read_bytes(), password=None).public_key().public_bytes_raw()
key = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": urlsafe_b64encode(public).rstrip(b"=").decode(),
    "kid": hashlib.sha256(public).hexdigest()[:16],
    "alg": "EdDSA",
    "use": "sig",
}
description = {"issuer": address, "jwks_uri": f"{address}/keys", "id_token_signing_alg_values_supported": ["EdDSA"]}
(published / ".well-known").mkdir(parents=True, exist_ok=True)
(published / "keys").write_text(json.dumps({"keys": [key]}))
(published / ".well-known" / "openid-configuration").write_text(json.dumps(description))

os.umask(0o077)
for service in SERVICES:
    ring = Path(f"/keys/{service}.ring.json")
    if not ring.exists():
        new_ring("trial").save(ring)
        os.chown(ring, SERVICE_USER, SERVICE_USER)

for service in ASKING:
    claims = {"iss": address, "aud": "commongrid", "sub": service, "client_id": service, "iat": int(time.time())}
    claims["exp"] = claims["iat"] + YEARS
    token = Path(f"/keys/{service}.token")
    token.write_text(jwt.encode(claims, private.read_text(), "EdDSA", {"kid": key["kid"], "typ": "at+jwt"}))
    os.chown(token, SERVICE_USER, SERVICE_USER)
