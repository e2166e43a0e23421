"""Reading the data files that a DBA may correct: whatever is wrong becomes one sentence that names the file and the place."""

from __future__ import annotations

import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assessor.errors import UsageError

_M = TypeVar("_M", bound=BaseModel)


def read_toml(text: str, file: str, problem: type[UsageError]) -> dict[str, Any]:
    """The tables of a data file. Raises ``problem`` for text that is not TOML; ``file`` is how it is called there."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise problem(f"{file} is not valid TOML: {error}.") from error


def read_as(form: type[_M], text: str, file: str, problem: type[UsageError]) -> _M:
    """The same, checked against its form. Raises ``problem`` for an unknown or missing key or a value of another type."""
    try:
        return form.model_validate(read_toml(text, file, problem))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise problem(f"{file}, {place}: {first['msg']}.") from error
