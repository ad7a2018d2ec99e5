"""Loading and keeping credit accounts: a cache of the ones in use, filled in bulk from snapshots and the log.

An account in the cache is as of its last commit here. Somebody else's write shows as a WriteConflict; then the account
is evicted and loaded anew. Snapshots are written in bulk, outside any commit.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from application.ports import Store
from application.recent import Recent
from domain.account import STATE_TOPIC, CreditAccount, dump_account, load_account
from domain.errors import NotFound
from domain.events import AccountOpened, account_stream, decode_state

SNAPSHOT_EVERY = 25  # events of an account
SNAPSHOT_LATEST = 100  # times as many
SNAPSHOT_BATCH = 2_000  # accounts
OPENED_PAGE = 1_000
LOADED_AT_ONCE = 500  # accounts: their events are in memory only until they are applied


class Accounts:
    """`capacity`: accounts kept in memory between batches (a batch may hold more while it lasts)."""

    def __init__(self, store: Store, capacity: int = 20_000) -> None:
        self._store = store
        self._cache: Recent[str, CreditAccount] = Recent(capacity)
        self._due: dict[str, tuple[CreditAccount, int]] = {}  # a snapshot, and how often it has become due

    def get(self, account_id: str) -> CreditAccount:
        """An open or closed account. Raises NotFound `unknown_account`."""
        account = self.find([account_id]).get(account_id)
        if account is None:
            raise NotFound("unknown_account", f"there is no account {account_id}", "account")
        return account

    def find(self, account_ids: Iterable[str]) -> dict[str, CreditAccount]:
        """Those that exist, by id."""
        return self._cache.find(set(account_ids), self._load)

    def _load(self, account_ids: Iterable[str]) -> dict[str, CreditAccount]:
        streams = {account_stream(account_id): account_id for account_id in account_ids}
        loaded: dict[str, CreditAccount] = {}
        for start in range(0, len(streams), LOADED_AT_ONCE):
            page = list(islice(streams, start, start + LOADED_AT_ONCE))
            for originator, (state, _, events) in self._store.load_streams(page).items():
                if state is None and not events:
                    continue
                account = CreditAccount() if state is None else load_account(state)
                for recorded in events:
                    account.apply(recorded.event, recorded.originator_version)
                loaded[streams[originator]] = account
        return loaded

    def evict(self, account_ids: Iterable[str]) -> None:
        """Forget accounts whose state may differ from the store's."""
        account_ids = list(account_ids)
        self._cache.forget(account_ids)
        for account_id in account_ids:
            self._due.pop(account_id, None)

    def clear(self) -> None:
        """Forget all: the partitions may belong to somebody else now."""
        self._cache.clear()
        self._due.clear()

    def committed(self, grown: Iterable[CreditAccount]) -> None:
        """Each of these has passed a version at which a snapshot is due, as often as it is named. They are written many
        at a time.
        """
        urgent = False
        for account in grown:
            _, times = self._due.get(account.account_id, (account, 0))
            self._due[account.account_id] = account, times + 1
            urgent |= times + 1 >= SNAPSHOT_LATEST
        if urgent or len(self._due) >= SNAPSHOT_BATCH:
            self.snapshot()

    def snapshot(self) -> None:
        """Write the snapshots that are due. Only between commits: what is cached is then what is stored."""
        due, self._due = self._due, {}
        self._store.put_snapshots(
            [(account.stream, account.version, STATE_TOPIC, dump_account(account)) for account, _ in due.values()]
        )


def is_snapshot_due(before: int, version: int) -> bool:
    """Whether an account that has grown from one version to another has passed one at which a snapshot is due."""
    return before // SNAPSHOT_EVERY < version // SNAPSHOT_EVERY


def opened_accounts(store: Store) -> Iterator[list[str]]:
    """The ids of all accounts as the log has them, a page at a time."""
    after, topic = 0, AccountOpened.__name__
    while rows := store.select_log(after, OPENED_PAGE, topics=[topic]):
        events = (decode_state(topic, state) for _, _, _, _, state in rows)
        yield [event.account_id for event in events if isinstance(event, AccountOpened)]
        after = rows[-1][0]
