"""Opens a golden bundle with AWS's Encryption SDK for Python: evidence that no code of ours is needed.

    python open_with_python.py FOLDER RECIPIENT_PRIVATE_KEY.pem

Checks the manifest's signature (DSSE, Ed25519), then opens every segment and index with the private key of one
recipient, compares the encryption context, decompresses, and compares digests with expected.json. Tried with
aws-encryption-sdk 4.0.7, zstandard 0.25.0, Python 3.11.
"""

import base64
import hashlib
import json
import pathlib
import sys

import aws_encryption_sdk
import zstandard
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FLEET, LANE = "golden-fleet", "lane-1"


def spki_fingerprint(public_key) -> str:
    return hashlib.sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


class OneKey(RawMasterKeyProvider):
    """A raw RSA key, found by provider `clawback` and the fingerprint of its public half."""

    provider_id = "clawback"

    def __init__(self, **kwargs):
        super().__init__()
        self.wrapping_key = None

    def use(self, pem: bytes) -> "OneKey":
        key = serialization.load_pem_private_key(pem, None)
        self.wrapping_key = WrappingKey(
            wrapping_algorithm=WrappingAlgorithm.RSA_OAEP_SHA256_MGF1,
            wrapping_key=pem,
            wrapping_key_type=EncryptionKeyType.PRIVATE,
        )
        self.add_master_key(spki_fingerprint(key.public_key()))
        return self

    def _get_raw_key(self, key_id):
        return self.wrapping_key


def open_manifest(path: pathlib.Path, public_pem: bytes) -> dict:
    envelope = json.loads(path.read_bytes())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    key = serialization.load_pem_public_key(public_pem)
    signature = envelope["signatures"][0]
    assert signature["keyid"] == spki_fingerprint(key), "signed by another key"
    key.verify(base64.b64decode(signature["sig"]), signed)
    return json.loads(payload)


def open_sealed(client, key, path: pathlib.Path, wanted: dict, context: dict) -> bytes:
    sealed = path.read_bytes()
    assert len(sealed) == wanted["sealedBytes"], path
    assert hashlib.sha256(sealed).hexdigest() == wanted["sealedSha256"], path
    plain, header = client.decrypt(source=sealed, key_provider=key)
    assert header.encryption_context == context, (path, header.encryption_context)
    return zstandard.ZstdDecompressor().decompressobj().decompress(plain)


def main(folder: pathlib.Path, private_pem: bytes) -> None:
    manifest_path = next((folder / LANE / "manifests").iterdir())
    keys = pathlib.Path(__file__).parent / "keys"
    manifest = open_manifest(manifest_path, (keys / "TEST-ONLY-manifest.pub.pem").read_bytes())
    expected = json.loads((folder / "expected.json").read_text())
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    key = OneKey().use(private_pem)
    for segment in manifest["segments"]:
        plain = {}
        for kind, folder_name, sealed in (("segment", "segments", segment), ("index", "indexes", segment["index"])):
            context = {
                "clawback-format": "1",
                "clawback-fleet": FLEET,
                "clawback-lane": LANE,
                "clawback-object": kind,
                "clawback-fingerprint": segment["fingerprint"],
            }
            path = folder / LANE / folder_name / f"{segment['fingerprint']}-{sealed['suffix']}"
            plain[kind] = open_sealed(client, key, path, sealed, context)
        assert len(plain["segment"]) == segment["plainBytes"]
        assert hashlib.sha256(plain["segment"]).hexdigest() == expected["plainSha256"][segment["id"]], segment["id"]
        header, *lines = [json.loads(line) for line in plain["index"].splitlines()]
        assert len(lines) == header["members"] + header["omissions"]
        print(segment["id"], segment["component"], segment["kind"], f"{len(plain['segment'])} bytes, {header['members']} members: ok")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_bytes())
