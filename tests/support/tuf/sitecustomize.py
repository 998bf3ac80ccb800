# SPDX-License-Identifier: Apache-2.0
"""Lets Debian sid's python3-tuf run with Debian 12's python3-cryptography, in which two types had other names."""

from cryptography.hazmat.primitives.asymmetric import types

for new, old in (("PrivateKeyTypes", "PRIVATE_KEY_TYPES"), ("PublicKeyTypes", "PUBLIC_KEY_TYPES")):
    if not hasattr(types, new):
        setattr(types, new, getattr(types, old))
