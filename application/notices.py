"""Notices on their way: made of the log and of the time, handed to whom they concern, delivered at least once.

`work` calls `run` again and again, any number of processes may.
"""


class Notices:
    """Over one store; for one thread."""

    def follow(self) -> bool:
        """Apply the next part of the log to the notices; False: there was nothing new."""
        raise NotImplementedError

    def run(self, now: int) -> int:
        """One round: follow the log, look at what is due by the time, hand out, deliver. Bounded: some of the log, and
        of the deliveries that are due each once, to many receivers at a time and to each for some seconds.

        How much was done; 0: nothing more is due now. Raises StoreUnavailable, WriteConflict.
        """
        raise NotImplementedError
