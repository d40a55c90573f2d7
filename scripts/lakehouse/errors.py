"""What goes wrong for reasons that the person at the keyboard can change."""


class LandingError(Exception):
    """The load cannot go on; the message says why and what to do about it."""


class SettingsError(LandingError):
    """A setting is missing or wrong; nothing was begun."""


class RejectLimitError(LandingError):
    """More records were refused than the caller allows; the landing zone is as it was before."""


class DbtError(Exception):
    """A dbt command failed; dbt has printed why."""


class BuildError(DbtError):
    """A build failed.

    Attributes:
        unfinished: The nodes that failed or were skipped, by unique id, with their status.
    """

    def __init__(self, message: str, unfinished: dict[str, str]) -> None:
        """Takes the message for the person and the nodes that were not finished."""
        super().__init__(message)
        self.unfinished = unfinished
