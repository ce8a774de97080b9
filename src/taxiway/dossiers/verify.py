"""Verify a dossier of a model version on any machine: ``python verify.py FILE.zip [--key FINGERPRINT] [--head FILE]``.

Needs Python 3.11 or newer and the package `cryptography`; nothing of Taxiway. Every byte of the file counts: the list
of its files is signed, and the file must be, to the byte, the archive that this list makes. Then every statement is
held against its key, every entry of the audit log against the log's signed head, and the bundle against its digest.
Exit codes: 0 all holds; 1 something does not, and the first such thing is named; 2 it could not be checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zlib
from datetime import datetime
from pathlib import Path
from struct import error, pack, unpack_from
from typing import Any, BinaryIO

MANIFEST = "manifest.json"
IN_TOTO = "application/vnd.in-toto+json"
DOSSIER = "https://taxiway.dev/dossier/v1"
DER = bytes.fromhex("302a300506032b6570032100")  # before a public Ed25519 key's 32 bytes; the SHA-256 is a fingerprint
LARGEST_READ = 64 << 20  # files beyond it are hashed, not looked into
WIDE = 0xFFFFFFFF  # sizes from here on take the fields of 64 bits
PLAIN = {each: ascii(chr(each))[1:-1] for each in (*range(32), *range(127, 160), *range(0xD800, 0xE000))}  # to print
Parsed = dict[str, Any]


class Fails(Exception):
    """The first thing that does not hold, as a sentence."""


def local_header(name: str, size: int, crc: int) -> bytes:
    wide, path = size >= WIDE, name.encode()
    extra = pack("<HHQQ", 1, 16, size, size) if wide else b""
    fields = (45 if wide else 20, 0x800, 0, 0, 0x21, crc, min(size, WIDE), min(size, WIDE), len(path), len(extra))
    return pack("<IHHHHHIIIHH", 0x04034B50, *fields) + path + extra


def central_header(name: str, size: int, crc: int, offset: int) -> bytes:
    path, wide = name.encode(), ([size, size] if size >= WIDE else []) + ([offset] if offset >= WIDE else [])
    extra = pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    needs, short = (45 if wide else 20), min(size, WIDE)
    fields = (0x0300 | needs, needs, 0x800, 0, 0, 0x21, crc, short, short, len(path), len(extra), 0, 0, 0)
    return pack("<IHHHHHHIIIHHHHHII", 0x02014B50, *fields, 0o100644 << 16, min(offset, WIDE)) + path + extra


def end_record(count: int, size: int, offset: int) -> bytes:
    wide = b""
    if count >= 0xFFFF or size >= WIDE or offset >= WIDE:
        wide = pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x032D, 45, 0, 0, count, count, size, offset)
        wide += pack("<IIQI", 0x07064B50, 0, offset + size, 1)
    few = min(count, 0xFFFF)
    return wide + pack("<IHHHHIIH", 0x06054B50, 0, 0, few, few, min(size, WIDE), min(offset, WIDE), 0)


def read_manifest(file: BinaryIO) -> bytes:
    """The signed list of files, which is the archive's first entry."""
    head = file.read(30 + len(MANIFEST))
    text = file.read(min(unpack_from("<I", head, 22)[0], LARGEST_READ)) if len(head) == 30 + len(MANIFEST) else b""
    if head != local_header(MANIFEST, len(text), zlib.crc32(text)):
        raise Fails(f"The file does not begin with a dossier's {MANIFEST}, or that was changed")
    return text


def read_files(file: BinaryIO, text: bytes, files: list[Parsed], sizes: dict[str, int]) -> dict[str, bytes]:
    """Every file of the list, compared byte by byte in its place; gives those that are small enough to look into."""
    found, central = {}, [central_header(MANIFEST, len(text), zlib.crc32(text), 0)]
    for name, digest in ((each["name"], each["digest"]["sha256"]) for each in files):
        size, offset, crc, hashed, kept = sizes[name], file.tell(), 0, hashlib.sha256(), []
        header, left = file.read(len(local_header(name, size, 0))), size
        while chunk := file.read(min(left, 1 << 20)):
            hashed.update(chunk)
            crc, left = zlib.crc32(chunk, crc), left - len(chunk)
            kept += [chunk] if size <= LARGEST_READ else []
        if hashed.hexdigest() != digest:
            raise Fails(f"{name} is not the file that was sealed")
        if header != local_header(name, size, crc):
            raise Fails(f"The archive was changed: the header of {name} is not as it was written")
        central.append(central_header(name, size, crc, offset))
        found[name] = b"".join(kept)
    directory = b"".join(central)
    end = directory + end_record(len(central), len(directory), file.tell())
    if file.read(len(end) + 1) != end:
        raise Fails("The archive was changed: its directory or its end is not as it was written, or more follows")
    return found


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def is_signed(key: Parsed, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["public"])).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def opened(text: bytes, name: str) -> tuple[bytes, str, bytes, bytes]:
    """An envelope's payload, the id of its key, its signature, and what that is over. It is written in one way only."""
    try:
        envelope = json.loads(text)
        [signature] = envelope["signatures"]
        key, sig, payload = signature["keyid"], *map(base64.b64decode, (signature["sig"], envelope["payload"]))
    except (ValueError, LookupError, TypeError) as e:
        raise Fails(f"{name} is no signed envelope") from e
    signatures = [{"keyid": key, "sig": base64.b64encode(sig).decode()}]
    again = {"payload": base64.b64encode(payload).decode(), "payloadType": IN_TOTO, "signatures": signatures}
    if canonical(again) != text:
        raise Fails(f"{name} is not written as the envelope of a statement is")
    return payload, key, sig, b"DSSEv1 %d %b %d %b" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)


def check_seal(text: bytes, wanted: str) -> tuple[Parsed, dict[str, Parsed], str]:
    """What the signed list of files says, the keys in it, and which of them sealed it."""
    payload, signer, signature, data = opened(text, MANIFEST)
    said = json.loads(payload)  # for its keys; nothing else is believed before one of them is found to have signed it
    keys = {hashlib.sha256(DER + bytes.fromhex(each["public"])).hexdigest(): each for each in said["predicate"]["keys"]}
    if signer not in keys or not is_signed(keys[signer], signature, data):
        raise Fails("The signature over the list of files is wrong")
    if said["predicateType"] != DOSSIER or said["predicate"]["format"] != 1:
        raise Fails(f"{MANIFEST} is not of a kind that this program knows")
    if keys[signer]["revoked_at"]:
        raise Fails(f"It is sealed by the key {signer}, which was revoked: {keys[signer]['because']}")
    if wanted and wanted.lower() != signer:
        raise Fails(f"It is sealed by the key {signer}, not by {wanted}")
    return said, keys, signer


def check_bundle(found: dict[str, bytes], digest: str, files: list[Parsed]) -> None:
    sealed = {each["name"]: each["digest"]["sha256"] for each in files if each["name"].startswith("bundle/")}
    listed = {"bundle/taxiway.json": digest[7:]} if sealed else {}
    for each in json.loads(found["bundle/taxiway.json"])["files"] if sealed else ():
        listed["bundle/" + each["path"]] = each["digest"][7:]
    if listed != sealed:
        raise Fails(f"The bundle inside is not the one with the digest {digest}, whose taxiway.json lists its files")


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 6962, 2.1.1). Raises ValueError where its length is wrong."""
    if size == 1:
        [] = path
        return leaf
    *rest, side = path
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return node(root_from(leaf, index, half, rest), side)
    return node(side, root_from(leaf, index - half, size - half, rest))


def two_roots(old: int, new: int, path: list[bytes], held: list[bytes]) -> tuple[bytes, bytes]:
    """The roots that a consistency proof leads to (RFC 6962, 2.1.2). held: the old root, while it is the whole tree."""
    if old == new:
        [root] = held + path
        return root, root
    *rest, side = path
    half = 1 << (new - 1).bit_length() - 1
    if old <= half:
        before, after = two_roots(old, half, rest, held)
        return before, node(after, side)
    before, after = two_roots(old - half, new - half, rest, [])
    return node(side, before), node(side, after)


def check_log(found: dict[str, bytes], keys: dict[str, Parsed], held: Parsed | None) -> dict[str, str]:
    """Every entry against the signed head of the log; gives when each statement was entered, by its digest."""
    head, entered = json.loads(found["audit/head.json"]), {}
    data = canonical({name: head[name] for name in ("at", "root", "size")})
    signature, by = bytes.fromhex(head["signature"]), [each for each in keys.values() if each["use"] == "audit"]
    if not any(is_signed(each, signature, data) for each in by):
        raise Fails("The head of the audit log is not signed by the key of the log")
    for proof in json.loads(found["audit/proofs.json"]):
        text, seq, path = found[f"audit/{proof['seq']}.json"], proof["seq"], [*map(bytes.fromhex, proof["path"])]
        entry, leaf = json.loads(text), hashlib.sha256(b"\0" + text).digest()
        if entry["seq"] != seq or root_from(leaf, seq, head["size"], path).hex() != head["root"]:
            raise Fails(f"The audit entry {seq} is not in the log that its head signs")
        entered.update(dict.fromkeys(entry["facts"].get("statements", []), entry["at"]))
    if held is not None:
        old, proof = held["size"], json.loads(found.get("audit/consistency.json", b"{}"))
        if old != head["size"] and (proof.get("first"), proof.get("second")) != (old, head["size"]):
            raise Fails(f"It has no proof for a head of {old} entries: have it made anew, with that head")
        path = [*map(bytes.fromhex, proof["path"])] if old != head["size"] else []
        roots = [root.hex() for root in two_roots(old, head["size"], path, [bytes.fromhex(held["root"])])]
        if roots != [held["root"], head["root"]]:
            raise Fails(f"The log is not the one of the head that was held: its first {old} entries are others")
    return entered


def check_statements(found: dict[str, bytes], keys: dict[str, Parsed], entered: dict[str, str]) -> int:
    for name in (names := [name for name in found if name.startswith("statements/")]):
        payload, signer, signature, data = opened(found[name], name)
        key = keys.get(signer, {"use": ""})
        if key["use"] != "statements" or not is_signed(key, signature, data):
            raise Fails(f"{name} is not signed by a key of the platform")
        if (at := entered.get("sha256:" + hashlib.sha256(payload).hexdigest())) is None:
            raise Fails(f"{name} is named by no audit entry")
        if key["revoked_at"] and datetime.fromisoformat(at) >= datetime.fromisoformat(key["revoked_at"]):
            raise Fails(f"{name} was signed after its key was revoked: {key['because']}")
    return len(names)


def verify(file: BinaryIO, key: str = "", held: Parsed | None = None) -> list[str]:
    """What a dossier holds, in a few sentences, once all of it was found right. Raises Fails."""
    said, keys, signer = check_seal(text := read_manifest(file), key)
    manifest, files = said["predicate"], said["subject"]
    found = read_files(file, text, files, manifest["sizes"])
    check_bundle(found, manifest["bundle"], files)
    count = check_statements(found, keys, check_log(found, keys, held))
    return [
        f"It holds: {manifest['thing']}, {len(files) + 1} files, {count} signed statements, as of {manifest['as_of']}.",
        f"Bundle {manifest['bundle'] or 'none'}. Sealed by the key {signer}.",
        *([] if key else ["Whose key that is, only you can know: compare it, or give it with --key."]),
        *(f"Missing: {each['part']}: {each['why']}." for each in manifest["missing"]),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a dossier of a model version.")
    parser.add_argument("file", type=Path, help="the dossier, a zip file")
    parser.add_argument("--key", default="", help="the fingerprint of the key that must have sealed it")
    parser.add_argument("--head", type=Path, help="a head of the audit log that was kept elsewhere")
    given = parser.parse_args(arguments)
    try:
        held = json.loads(given.head.read_bytes().splitlines()[-1]) if given.head else None
        with given.file.open("rb") as file:
            print(*(line.translate(PLAIN) for line in verify(file, given.key, held)), sep="\n")
    except (ImportError, OSError) as e:
        print(f"It could not be checked: {e}. Needed are the file, and Python's package cryptography.")
        return 2
    except (Fails, error, ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError) as e:
        why = str(e) if isinstance(e, Fails) else f"Something inside cannot be read: {e!r}"
        print(f"It does not hold. {why.translate(PLAIN)}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
