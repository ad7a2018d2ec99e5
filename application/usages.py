"""Finding a usage that was debited by the id that the telephony system gave it, in one account or in any."""

from application.accounts import opened_accounts
from application.ports import Store, StoredUsage
from application.privacy import usage_key
from domain.errors import NotFound, Refused
from domain.events import AccountOpened, account_stream


def opening(store: Store, account_id: str) -> AccountOpened:
    """The account's first event. Raises NotFound `unknown_account`."""
    for recorded in store.select_events(account_stream(account_id), lte=1):
        if isinstance(recorded.event, AccountOpened):
            return recorded.event
    raise NotFound("unknown_account", f"there is no account {account_id}", "account")


def find_usage(store: Store, usage_id: str, account_id: str = "") -> tuple[str, StoredUsage]:
    """The account that has it, and its debit.

    Raises NotFound `unknown_account`, `unknown_usage`; without an account Refused `ambiguous_usage_id`.
    """
    if account_id:
        opening(store, account_id)
        found = _look_up(store, usage_id, [account_id])
    else:
        pages = (_look_up(store, usage_id, page) for page in opened_accounts(store))
        found = {account: stored for page in pages for account, stored in page.items()}
    if not found:
        who = f"account {account_id} has no" if account_id else "no account has a"
        raise NotFound("unknown_usage", f"{who} debit of usage {usage_id}", "usage_id")
    if len(found) > 1:
        text = f"accounts {', '.join(sorted(found))} each have a usage {usage_id}: say --account"
        raise Refused("ambiguous_usage_id", text, "account")
    return next(iter(found.items()))


def _look_up(store: Store, usage_id: str, account_ids: list[str]) -> dict[str, StoredUsage]:
    keys = {usage_key(account_id, usage_id): account_id for account_id in account_ids}
    return {keys[key]: stored for key, stored in store.find_usages(list(keys)).items()}
