"""Files of YAML that say what is trusted and what is recorded."""

from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from app.credentials.secret_files import refuse_if_writable

Model = TypeVar("Model")


def read_yaml(path: Path, largest: int, model: type[Model]) -> Model:
    """Read a YAML file that only its owner may change.

    Args:
        path: The file.
        largest: Bytes that it may have.
        model: What it describes.

    Raises:
        ValueError: Others may change the file, it cannot be read, it is too large, or it describes something else. The
            message names the file.
    """
    try:
        refuse_if_writable(path)
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > largest:
        raise ValueError(f"{path} has more than {largest} bytes")
    try:
        return msgspec.convert(yaml.safe_load(content), model)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    except msgspec.ValidationError as error:
        raise ValueError(f"{path}: {error}") from error
