"""What goes wrong for reasons that the person at the keyboard can change."""


class LandingError(Exception):
    """The load cannot go on; the message says why and what to do about it."""


class RejectLimitError(LandingError):
    """More records were refused than the caller allows; the landing zone is as it was before."""


class DbtError(Exception):
    """A dbt command failed; dbt has printed why."""
