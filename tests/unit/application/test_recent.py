"""The cache of what was used last."""

from collections.abc import Iterable

from application.recent import Recent

STORED = {letter: letter.upper() for letter in "abcdef"}


class Shelf:
    """A cache of what is stored; `asked` is what it had to load, one entry a time."""

    def __init__(self, capacity: int) -> None:
        self.recent: Recent[str, str] = Recent(capacity)
        self.asked: list[str] = []

    def find(self, letters: str) -> dict[str, str]:
        return self.recent.find(set(letters), self._load)

    def _load(self, wanted: Iterable[str]) -> dict[str, str]:
        self.asked.append("".join(sorted(wanted)))
        return {letter: STORED[letter] for letter in wanted if letter in STORED}


def test_what_is_there_is_not_loaded_again() -> None:
    shelf = Shelf(3)
    assert shelf.find("ab") == {"a": "A", "b": "B"}
    assert shelf.find("bc") == {"b": "B", "c": "C"}
    assert shelf.find("abc") == {"a": "A", "b": "B", "c": "C"}
    assert shelf.asked == ["ab", "c"]


def test_what_does_not_exist_is_asked_for_each_time() -> None:
    shelf = Shelf(3)
    assert shelf.find("ax") == {"a": "A"}
    assert shelf.find("x") == {}
    assert shelf.asked == ["ax", "x"]


def test_where_the_room_ends_what_was_not_used_for_longest_goes() -> None:
    shelf = Shelf(3)
    for letters in ("abc", "d"):
        shelf.find(letters)
    assert len(shelf.recent) == 3
    shelf.find("d")
    shelf.asked.clear()
    assert shelf.find("abc") == {"a": "A", "b": "B", "c": "C"}
    assert len("".join(shelf.asked)) == 1


def test_use_counts_once_there_is_no_more_room() -> None:
    shelf = Shelf(3)
    for letters in ("a", "b", "c"):
        shelf.find(letters)
    shelf.find("ad")
    shelf.asked.clear()
    shelf.find("acd")
    assert shelf.asked == []


def test_a_batch_may_be_larger_than_the_room() -> None:
    shelf = Shelf(2)
    assert shelf.find("abcdef") == STORED
    assert len(shelf.recent) == 2


def test_what_is_forgotten_is_loaded_anew() -> None:
    shelf = Shelf(3)
    shelf.find("ab")
    shelf.recent.forget(["a", "x"])
    shelf.recent.keep({"b": "other"})
    assert shelf.find("ab") == {"a": "A", "b": "other"}
    shelf.recent.clear()
    assert shelf.find("ab") == {"a": "A", "b": "B"}
    assert shelf.asked == ["ab", "a", "ab"]
