"""Loading and keeping credit accounts: a cache of the ones in use, filled in bulk from snapshots and the log.

An account in the cache is as of its last commit here. Somebody else's write shows as a WriteConflict; then the account
is evicted and loaded anew. Snapshots are written in bulk, outside any commit.
"""

from collections.abc import Iterable, Iterator

from application.ports import Store
from domain.account import STATE_TOPIC, CreditAccount, dump_account, load_account
from domain.errors import NotFound
from domain.events import AccountOpened, account_stream, decode_state

SNAPSHOT_EVERY = 25
SNAPSHOT_BATCH = 2_000
OPENED_PAGE = 1_000


class Accounts:
    """`capacity`: accounts kept in memory between batches (a batch may hold more while it lasts)."""

    def __init__(self, store: Store, capacity: int = 20_000) -> None:
        self._store, self._capacity = store, capacity
        self._cache: dict[str, CreditAccount] = {}
        self._snapshotted: dict[str, int] = {}
        self._due: dict[str, CreditAccount] = {}

    def get(self, account_id: str) -> CreditAccount:
        """An open or closed account. Raises NotFound `unknown_account`."""
        account = self.find([account_id]).get(account_id)
        if account is None:
            raise NotFound("unknown_account", f"there is no account {account_id}", "account")
        return account

    def find(self, account_ids: Iterable[str]) -> dict[str, CreditAccount]:
        """Those that exist, by id. The cache is a least-recently-used one by batches."""
        cache, found, missing = self._cache, {}, []
        for account_id in account_ids:
            account = cache.pop(account_id, None)
            if account is None:
                missing.append(account_id)
            else:
                found[account_id] = cache[account_id] = account
        for account_id, account in self._load(missing).items():
            found[account_id] = cache[account_id] = account
        while len(cache) > max(self._capacity, len(found)):
            self._forget(next(iter(cache)))
        return found

    def _load(self, account_ids: list[str]) -> dict[str, CreditAccount]:
        if not account_ids:
            return {}
        streams = {account_stream(account_id): account_id for account_id in account_ids}
        loaded = {}
        for originator, (state, version, events) in self._store.load_streams(list(streams)).items():
            if state is None and not events:
                continue
            account = CreditAccount() if state is None else load_account(state)
            for recorded in events:
                account.apply(recorded.event, recorded.originator_version)
            account_id = streams[originator]
            loaded[account_id] = account
            self._snapshotted[account_id] = version
        return loaded

    def evict(self, account_ids: Iterable[str]) -> None:
        """Forget accounts whose state may differ from the store's."""
        for account_id in list(account_ids):
            self._forget(account_id)
            self._due.pop(account_id, None)

    def _forget(self, account_id: str) -> None:
        self._cache.pop(account_id, None)
        self._snapshotted.pop(account_id, None)

    def clear(self) -> None:
        """Forget all: the partitions may belong to somebody else now."""
        self._cache.clear()
        self._snapshotted.clear()
        self._due.clear()

    def committed(self, accounts: Iterable[tuple[str, CreditAccount]]) -> None:
        """These have just been written; snapshots are taken of those that have grown, many at a time."""
        for account_id, account in accounts:
            if account.version - self._snapshotted.get(account_id, 0) >= SNAPSHOT_EVERY:
                self._due[account_id] = account
        if len(self._due) >= SNAPSHOT_BATCH or any(
            account.version - self._snapshotted.get(account_id, 0) >= 100 * SNAPSHOT_EVERY
            for account_id, account in self._due.items()
        ):
            self.snapshot()

    def snapshot(self) -> None:
        """Write the snapshots that are due. Only between commits: what is cached is then what is stored."""
        due, self._due = self._due, {}
        self._store.put_snapshots(
            [(account_stream(key), account.version, STATE_TOPIC, dump_account(account)) for key, account in due.items()]
        )
        for account_id, account in due.items():
            self._snapshotted[account_id] = account.version


def opened_accounts(store: Store) -> Iterator[list[str]]:
    """The ids of all accounts as the log has them, a page at a time."""
    after, topic = 0, AccountOpened.__name__
    while rows := store.select_log(after, OPENED_PAGE, topics=[topic]):
        events = (decode_state(topic, state) for _, _, _, _, state in rows)
        yield [event.account_id for event in events if isinstance(event, AccountOpened)]
        after = rows[-1][0]
