"""What a job raises for a file that is not as it must be."""


class Refused(Exception):
    """`reason` is a word of lower-case letters and underscores."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
