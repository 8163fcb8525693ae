"""The reporter's receipt (回执): a secret shown once. Who shows it again may follow the case and rate it.

Only its SHA-256 is kept, so that nobody who reads the log can pass for the reporter.
"""

import hashlib
import hmac


def hash_of(receipt: str) -> str:
    """What is kept of a receipt: SHA-256 in hexadecimal."""
    return hashlib.sha256(receipt.encode()).hexdigest()


def is_receipt(shown: str, kept: str) -> bool:
    """Whether this is the receipt of which `kept` is the hash."""
    return hmac.compare_digest(hash_of(shown), kept)
