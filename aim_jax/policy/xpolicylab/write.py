"""Writes the policy folder: the files of `folder/`, a copy of the client, and the server's address."""

from __future__ import annotations

import shutil
from pathlib import Path

from aim_jax.errors import AimError
from aim_jax.files import write_atomic

_HERE = Path(__file__).parent
_CLIENT = _HERE.parent / "client"


def write_folder(out: Path, url: str, *, overwrite: bool = False) -> list[Path]:
    """Writes the folder `out`, usually XPolicyLab/policy/AIM, and returns its files.

    Args:
        out: the folder; its name is the policy's name in XPolicyLab.
        url: where the server will be, such as ws://127.0.0.1:8000.
        overwrite: replace a folder that is there.

    Raises:
        AimError: the folder exists, or its name or the address cannot be used.
    """
    if not out.name.isidentifier():
        raise AimError("The folder's name is no module name", wanted="letters, digits and _", got=out.name)
    if not url.startswith(("ws://", "wss://")) or any(c.isspace() for c in url):
        raise AimError("The address is no websocket", wanted="ws://HOST:PORT or wss://HOST", got=url)
    if out.exists() and any(out.iterdir()):
        if not overwrite:
            raise AimError(f"{out} exists", remedy="choose another folder, or add --overwrite")
        shutil.rmtree(out)
    written = []
    for source in sorted(_HERE.glob("folder/*")):
        if source.is_file():
            text = source.read_text().replace("@POLICY@", out.name).replace("@URL@", url)
            written.append(out / source.name.removesuffix(".txt"))
            write_atomic(written[-1], text)
    for source in sorted(_CLIENT.glob("*.py")):
        written.append(out / "aim_client" / source.name)
        write_atomic(written[-1], source.read_text())
    return written
