"""What a rule refuses, with a stable code; the edges translate it to exit codes and HTTP statuses."""


class DomainError(Exception):
    """Base: `code` is stable, `message` a sentence for a person, `field` the option or field it is about.

    `source` names the file that was being read, "" where there was none: whoever opened it says so.
    """

    source = ""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


class Refused(DomainError):
    """A rule says no (exit 5)."""


class NotFound(DomainError):
    """What was named is not there (exit 3)."""


class Invalid(DomainError):
    """A value that can never be right (exit 2)."""
