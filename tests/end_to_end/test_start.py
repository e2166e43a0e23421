"""Starting: Ctrl-C before the tool has even loaded ends with 130 and one sentence."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from assessor import start


def test_ctrl_c_while_modules_load_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def interrupted(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "assessor.cli":
            raise KeyboardInterrupt
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as end:
        start.main()
    assert end.value.code == 130
    assert capsys.readouterr().err.count("\n") == 1
