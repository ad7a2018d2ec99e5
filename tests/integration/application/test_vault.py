"""Keys of personal data: committed before they are remembered, bound to their place, checkable by an auditor."""

import hashlib
import hmac
from collections.abc import Iterator

import pytest

from adapters.privacy import DATA, KeyVault, WrongMasterKey
from application.ports import Commit, WriteConflict
from application.privacy import NO_ACCOUNT, content_of, decode_personal, personal_of, usage_key
from tests.support.engine import MASTER_KEY, TestEngine
from tests.support.given import usage


@pytest.fixture
def engine(store_url: str) -> Iterator[TestEngine]:
    engine = TestEngine(store_url)
    yield engine
    engine.close()


def test_an_auditor_can_check_a_commitment_given_salt_and_content(engine: TestEngine) -> None:
    call = usage(caller="+38612345678", user_id="ana@contoso.com")
    key, content = usage_key("contoso", call.usage_id), content_of(call, "")
    sealer = engine.vault.sealer()
    [(data_key, _)] = sealer.find([("contoso", 202611, call.user_id)])
    commitment, sealed = sealer.seal(data_key, key, content, personal_of(call))
    engine.store.commit(Commit(keys=sealer.keys))
    raw = engine.vault.load_keys([("contoso", DATA, 202611)])["contoso", DATA, 202611].raw
    salt = hmac.digest(raw, key, "sha256")[:16]
    assert engine.vault.salt("contoso", 202611, key) == salt
    assert commitment == hashlib.sha256(salt + content).digest()
    plain = engine.vault.unseal("contoso", 202611, key, sealed)
    assert plain is not None
    assert decode_personal(plain).caller == "+38612345678"
    assert engine.vault.unseal("contoso", 202611, usage_key("contoso", "other"), sealed) is None


def test_a_key_that_was_rolled_back_is_not_remembered(engine: TestEngine) -> None:
    first, second = engine.vault.sealer(), KeyVault(MASTER_KEY, engine.store).sealer()
    for sealer in (first, second):
        sealer.prepare([("contoso", 202611)], [("contoso", "Ana@contoso.com"), ("contoso", "ana@CONTOSO.com")])
        assert sealer.pseudonym("contoso", "Ana@contoso.com") == sealer.pseudonym("contoso", "ana@CONTOSO.com")
    engine.store.commit(Commit(keys=second.keys, users=second.users))
    with pytest.raises(WriteConflict):
        engine.store.commit(Commit(keys=first.keys, users=first.users))
    again = engine.vault.sealer()
    again.prepare([("contoso", 202611)], [("contoso", "ana@contoso.com")])
    assert (again.keys, again.users) == ([], [])
    assert again.pseudonym("contoso", "ana@contoso.com") == second.pseudonym("contoso", "Ana@contoso.com")


def test_names_are_found_by_pseudonym_and_users_without_case(engine: TestEngine) -> None:
    sealer = engine.vault.sealer()
    sealer.prepare([], [("contoso", "Ana@contoso.com"), ("fabrikam", "Ana@contoso.com")])
    engine.store.commit(Commit(keys=sealer.keys, users=sealer.users))
    ana, other = (sealer.pseudonym(account, "Ana@contoso.com") for account in ("contoso", "fabrikam"))
    assert ana != other
    fresh = KeyVault(MASTER_KEY, engine.store)
    assert fresh.names([ana, other, "unknown"]) == {ana: "Ana@contoso.com", other: "Ana@contoso.com"}
    assert fresh.find_user("contoso", "ANA@contoso.com") == ana
    assert fresh.find_user("contoso", "bob@contoso.com") is None
    assert fresh.find_user("nobody", "ana@contoso.com") is None


def test_a_batch_that_needs_more_keys_than_stay_in_memory_finds_them_all(engine: TestEngine) -> None:
    vault = KeyVault(MASTER_KEY, engine.store, capacity=2)
    wanted = [("contoso", month, f"user{month % 3}@contoso.com") for month in range(202601, 202607)]
    minting = vault.sealer()
    minted = minting.find(wanted)
    engine.store.commit(Commit(keys=minting.keys, users=minting.users))
    minting.committed()
    again = vault.sealer().find(wanted * 2)
    assert [(key.raw, user) for key, user in again] == [(key.raw, user) for key, user in minted * 2]
    assert len({user for _, user in minted}) == 3


def test_another_master_key_is_told_as_such(engine: TestEngine) -> None:
    sealer = engine.vault.sealer()
    sealer.prepare([("contoso", 202611)], [])
    engine.store.commit(Commit(keys=sealer.keys))
    with pytest.raises(WrongMasterKey, match="contoso"):
        KeyVault(bytes(32), engine.store).load_keys([("contoso", DATA, 202611)])
    with pytest.raises(ValueError, match="32 bytes"):
        KeyVault(b"short", engine.store)


def test_the_stores_own_digest_is_one_for_all_processes(engine: TestEngine) -> None:
    digests = {KeyVault(MASTER_KEY, engine.store).digest(b"record") for _ in range(2)}
    assert len(digests) == 1
    assert len(engine.store.data_keys([(NO_ACCOUNT, "lookup", 0)])) == 1


def test_no_more_keys_are_kept_in_memory_than_asked_for(engine: TestEngine) -> None:
    vault = KeyVault(MASTER_KEY, engine.store, capacity=3)
    sealer = vault.sealer()
    sealer.prepare([("contoso", month) for month in range(202601, 202611)], [])
    engine.store.commit(Commit(keys=sealer.keys))
    for month in range(202601, 202611):
        assert vault.load_keys([("contoso", DATA, month)])
    assert len(vault.known_keys) == 3
