"""A column that COPY loads."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column that is loaded."""

    name: str
    type: str  # without its length
    length: int | None  # of a text, in bytes
    precision: int | None
    scale: int | None
    not_null: bool

    @property
    def length_text(self) -> str:
        """The length as the system tables show it."""
        if self.precision is not None:
            return f"{self.precision}, {self.scale}"
        return "" if self.length is None else str(self.length)
