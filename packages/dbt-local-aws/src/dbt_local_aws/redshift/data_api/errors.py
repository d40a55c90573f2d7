"""Requests that are refused, with AWS's names for the reasons."""

from typing import Any


class DataApiError(Exception):
    """A request that is refused."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        self.code = code
        self.message = message
        self.members = members
        super().__init__(message)

    def answer(self) -> dict[str, Any]:
        """The error as it is answered."""
        return {"__type": self.code, "Message": self.message, "message": self.message, **self.members}


def invalid(message: str) -> DataApiError:
    """A request that says too little, or too much."""
    return DataApiError("ValidationException", message)


def not_found(what: str, resource: str) -> DataApiError:
    """A request for what is not there."""
    return DataApiError("ResourceNotFoundException", what, ResourceId=resource)
