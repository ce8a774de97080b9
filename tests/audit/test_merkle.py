"""The tree against RFC 6962's known answers, a naive recursion, and tampering."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.audit.merkle import (
    Frontier,
    FrontierBroken,
    ProofImpossible,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    nodes_of,
    root,
    verify_consistency,
    verify_inclusion,
)

# The inputs and answers of Certificate Transparency's own reference tests (merkle_tree_test, RFC 6962).
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
HEADS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
KNOWN_LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    split = max(2**power for power in range(20) if 2**power < len(hashes))
    return node_hash(naive_root(hashes[:split]), naive_root(hashes[split:]))


def naive_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, word for word."""
    if len(hashes) == 1:
        return []
    split = max(2**power for power in range(20) if 2**power < len(hashes))
    if index < split:
        return [*naive_path(index, hashes[:split]), naive_root(hashes[split:])]
    return [*naive_path(index - split, hashes[split:]), naive_root(hashes[:split])]


def naive_subproof(old: int, hashes: list[bytes], complete: bool) -> list[bytes]:
    """RFC 6962, 2.1.2, word for word."""
    if old == len(hashes):
        return [] if complete else [naive_root(hashes)]
    split = max(2**power for power in range(20) if 2**power < len(hashes))
    if old <= split:
        return [*naive_subproof(old, hashes[:split], complete), naive_root(hashes[split:])]
    return [*naive_subproof(old - split, hashes[split:], False), naive_root(hashes[:split])]


@pytest.mark.parametrize("size", range(9))
def test_heads_are_the_known_ones(size: int) -> None:
    assert root(KNOWN_LEAVES[:size]).hex() == HEADS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_inclusion_proofs_are_the_known_ones(index: int, size: int, path: list[str]) -> None:
    proof = inclusion_proof(nodes_of(KNOWN_LEAVES), index=index, size=size)

    assert [digest.hex() for digest in proof] == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_consistency_proofs_are_the_known_ones(old: int, new: int, path: list[str]) -> None:
    proof = consistency_proof(nodes_of(KNOWN_LEAVES), old_size=old, new_size=new)

    assert [digest.hex() for digest in proof] == path


def test_heads_equal_the_naive_recursion_up_to_300_entries() -> None:
    everything = leaves(300)

    assert all(root(everything[:size]) == naive_root(everything[:size]) for size in range(301))


@given(st.integers(1, 300), st.data())
def test_proofs_equal_the_naive_recursion_and_verify(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    hashes = leaves(size)
    nodes, head = nodes_of(hashes), root(hashes)

    path = inclusion_proof(nodes, index=index, size=size)
    growth = consistency_proof(nodes, old_size=old, new_size=size)

    assert path == naive_path(index, hashes)
    assert growth == naive_subproof(old, hashes, True)
    assert verify_inclusion(path, leaf=hashes[index], index=index, size=size, head=head)
    assert verify_consistency(growth, old_size=old, old_head=root(hashes[:old]), new_size=size, new_head=head)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof_of_a_small_tree_verifies(size: int) -> None:
    hashes = leaves(size)
    nodes, head = nodes_of(hashes), root(hashes)

    assert all(
        verify_inclusion(
            inclusion_proof(nodes, index=index, size=size),
            leaf=hashes[index],
            index=index,
            size=size,
            head=head,
        )
        for index in range(size)
    )
    assert all(
        verify_consistency(
            consistency_proof(nodes, old_size=old, new_size=size),
            old_size=old,
            old_head=root(hashes[:old]),
            new_size=size,
            new_head=head,
        )
        for old in range(size + 1)
    )


@given(st.integers(2, 130), st.data())
def test_no_proof_places_an_entry_elsewhere(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    elsewhere = data.draw(st.integers(-1, size + 2).filter(lambda other: other != index))
    hashes = leaves(size)
    proof = inclusion_proof(nodes_of(hashes), index=index, size=size)

    assert not verify_inclusion(proof, leaf=hashes[index], index=elsewhere, size=size, head=root(hashes))


@given(st.integers(1, 130), st.data())
def test_a_changed_bit_anywhere_breaks_an_inclusion_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    parts = [hashes[index], root(hashes), *inclusion_proof(nodes_of(hashes), index=index, size=size)]
    hit, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[hit] = (int.from_bytes(parts[hit]) ^ (1 << bit)).to_bytes(32)

    assert not verify_inclusion(parts[2:], leaf=parts[0], index=index, size=size, head=parts[1])


@given(st.integers(2, 130), st.data())
def test_a_changed_bit_anywhere_breaks_a_consistency_proof(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    hashes = leaves(size)
    growth = consistency_proof(nodes_of(hashes), old_size=old, new_size=size)
    parts = [root(hashes[:old]), root(hashes), *growth]
    hit, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[hit] = (int.from_bytes(parts[hit]) ^ (1 << bit)).to_bytes(32)

    assert not verify_consistency(parts[2:], old_size=old, old_head=parts[0], new_size=size, new_head=parts[1])


@given(st.integers(2, 100), st.data())
def test_a_held_head_shows_an_edited_a_deleted_and_a_swapped_entry(size: int, data: st.DataObject) -> None:
    hit = data.draw(st.integers(0, size - 2))
    honest = leaves(size)
    edited = [*honest[:hit], leaf_hash(b"forged"), *honest[hit + 1 :]]
    deleted = [*honest[:hit], *honest[hit + 1 :]]
    swapped = [*honest[:hit], honest[hit + 1], honest[hit], *honest[hit + 2 :]]

    assert root(honest) not in {root(edited), root(deleted), root(swapped)}


@given(st.integers(2, 60), st.data())
def test_a_fork_cannot_prove_that_it_extends_a_held_head(held: int, data: st.DataObject) -> None:
    hit = data.draw(st.integers(0, held - 1))
    size = held + data.draw(st.integers(1, 60))
    honest, fork = leaves(held), leaves(size)
    fork[hit] = leaf_hash(b"another past")

    growth = consistency_proof(nodes_of(fork), old_size=held, new_size=size)

    assert not verify_consistency(growth, old_size=held, old_head=root(honest), new_size=size, new_head=root(fork))


@given(st.integers(1, 60), st.lists(st.binary(min_size=32, max_size=32), max_size=8))
def test_a_made_up_consistency_proof_is_refused(old: int, proof: list[bytes]) -> None:
    assert not verify_consistency(
        proof, old_size=old, old_head=root(leaves(old)), new_size=old + 7, new_head=leaf_hash(b"made up")
    )


@given(st.integers(0, 200), st.integers(0, 50))
def test_a_stored_frontier_goes_on_where_it_stopped(before: int, after: int) -> None:
    frontier = Frontier()
    for leaf in leaves(before):
        frontier, _ = frontier.append(leaf)

    frontier = msgspec.json.decode(msgspec.json.encode(frontier), type=Frontier)
    for leaf in leaves(before + after)[before:]:
        frontier, _ = frontier.append(leaf)

    assert frontier.root() == root(leaves(before + after))
    assert len(frontier.peaks) == (before + after).bit_count()


def test_an_append_completes_at_most_one_node_a_level() -> None:
    frontier = Frontier()
    for leaf in leaves(7):
        frontier, _ = frontier.append(leaf)

    _, completed = frontier.append(leaf_hash(b"eighth"))

    assert [(node.level, node.index) for node in completed] == [(0, 7), (1, 3), (2, 1), (3, 0)]


@pytest.mark.parametrize(("size", "peaks"), [(1, ()), (2, (b"0" * 32, b"1" * 32)), (-1, ()), (1, (b"short",))])
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, peaks: tuple[bytes, ...]) -> None:
    with pytest.raises(FrontierBroken, match="Rebuild"):
        Frontier(size, peaks)


def test_proofs_of_absent_entries_are_refused() -> None:
    nodes = nodes_of(leaves(3))

    with pytest.raises(ProofImpossible, match="no entry 3"):
        inclusion_proof(nodes, index=3, size=3)
    with pytest.raises(ProofImpossible, match="cannot extend"):
        consistency_proof(nodes, old_size=4, new_size=3)


def test_sizes_out_of_order_and_proofs_too_long_do_not_verify() -> None:
    head = root(leaves(4))
    spare = [leaf_hash(b"spare")] * 6

    assert not verify_consistency([], old_size=5, old_head=head, new_size=4, new_head=head)
    assert not verify_consistency(spare, old_size=3, old_head=root(leaves(3)), new_size=4, new_head=head)
    assert not verify_consistency([], old_size=3, old_head=root(leaves(3)), new_size=4, new_head=head)
    assert not verify_consistency(spare, old_size=0, old_head=root(()), new_size=4, new_head=head)
    assert not verify_inclusion(spare, leaf=leaves(4)[0], index=0, size=4, head=head)


def test_a_large_log_is_proved_from_few_stored_nodes() -> None:
    size, asked = 20_000, []
    stored = nodes_of(leaves(size))

    def counting(level: int, index: int) -> bytes:
        asked.append((level, index))
        return stored(level, index)

    inclusion_proof(counting, index=12_345, size=size)

    assert len(asked) <= 2 * size.bit_length()
